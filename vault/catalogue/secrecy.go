package catalogue

import "slices"

// Secrecy is the level of a record (glossary: thường, Mật, Tối mật, Tuyệt mật), and of what a person may reach. What is above [Unclassified] is a
// state secret.
type Secrecy string

// The levels, from the lowest.
const (
	Unclassified Secrecy = "unclassified"
	Confidential Secrecy = "confidential"
	Secret       Secrecy = "secret"
	TopSecret    Secrecy = "top_secret"
)

var secrecies = []struct {
	secrecy Secrecy
	label   Label
}{
	{Unclassified, Label{Vi: "Thường", En: "Unclassified"}},
	{Confidential, Label{Vi: "Mật", En: "Confidential"}},
	{Secret, Label{Vi: "Tối mật", En: "Secret"}},
	{TopSecret, Label{Vi: "Tuyệt mật", En: "Top secret"}},
}

// Secrecies lists the levels, from the lowest.
func Secrecies() []Secrecy {
	list := make([]Secrecy, len(secrecies))
	for i, s := range secrecies {
		list[i] = s.secrecy
	}
	return list
}

// Rank is the place of a level, 0 to 3, and whether it is one.
func (s Secrecy) Rank() (int, bool) {
	i := slices.Index(Secrecies(), s)
	return max(0, i), i >= 0
}

// Label names the level.
func (s Secrecy) Label() Label {
	for _, x := range secrecies {
		if x.secrecy == s {
			return x.label
		}
	}
	return Label{}
}

// Higher is the higher one of two levels; what is no level is above all.
func (s Secrecy) Higher(other Secrecy) Secrecy {
	rank, known := s.Rank()
	if !known {
		return s
	}
	if o, known := other.Rank(); !known || o > rank {
		return other
	}
	return s
}
