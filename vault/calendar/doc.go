// Package calendar knows the working days of Vietnamese offices: public holidays, days off in lieu, working days that were swapped,
// and office hours. Terms of the regulation are in working days, and an incident is classified within a working hour.
//
// Which days they are is decided each year: it stands in a table, one YAML file a year, with the documents it follows. Those of 2024
// to 2027 are built in, and any year's file can be put in their place. A year without a table is proposed from the law and the
// moon, and says that it is a proposal. YEARS.md says what may stand in a file.
//
// Terms are counted as the Civil Code (91/2015/QH13) does: the day of the event is not counted (Article 147.2), and a term ends at
// 24:00 of its last day (Article 148.6). Days are those of Vietnam, +07:00, whatever zone a time is given in.
//
// It is pure: nothing here reads a clock or the network. A calendar that was loaded never changes and may be shared.
package calendar
