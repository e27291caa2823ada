// Package catalogue holds the registers as data: who answers for each, the kinds of record its dossiers hold with their
// mandatory fields, what a person is shown, and by which steps and in what time a record becomes official. One YAML file is
// one register. The six of the regulation are built in; a folder of files takes the place of any of them, or adds to them, so that
// a data steward can add a kind without a programmer.
//
// A catalogue that was loaded has been checked whole and never changes: it may be shared. It is pure: nothing here reads a clock,
// a database or the network.
//
// FILES.md says what may stand in a file.
package catalogue
