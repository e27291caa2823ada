package samples

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Subject is an invented person.
type Subject struct {
	Name           string
	BirthDate      string // yyyy-mm-dd
	PersonalNumber string // twelve digits, the first three are no province's
}

// person is a subject with all that their papers say.
type person struct {
	Subject
	Female             bool
	Alias              string
	Commune, Town      string // invented
	Province           string // invented
	Unit, Cell, Office string
	Post, Rank         string
	Joined, Official   string // dd/mm/yyyy, of the party
	School, Field      string
	Father, Mother     string
	Spouse             string
	Chief, ChiefPost   string // who signs
	Number             string // of the decision
	Topic              string // of the research
}

var (
	families  = []string{"Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý"}
	givens    = []string{"Minh Họa", "Thử Nghiệm", "Giả Định", "Ví Dụ", "Mô Phỏng", "Tưởng Tượng", "Hư Cấu", "Phỏng Định", "Giả Thiết", "Thí Dụ", "Nghĩa Giả", "Mẫu Mực"}
	communes  = []string{"Nghĩa Mẫu", "Thử Sơn", "Giả Lâm", "Ví Khê", "Hư Thủy", "Mẫu Đường"}
	towns     = []string{"Minh Họa", "Mô Phỏng", "Giả Bình", "Ví Dụ Thượng"}
	provinces = []string{"Tưởng Tượng", "Hư Cấu", "Giả Định", "Thử Nghiệm"}
	offices   = []string{"Sở Ví Dụ", "Sở Thử Nghiệm", "Ban Mô Phỏng", "Văn phòng Giả Định"}
	posts     = []string{"Chuyên viên", "Chuyên viên chính", "Phó Trưởng phòng", "Trưởng phòng"}
	ranks     = []string{"Chuyên viên (01.003), bậc 4/9, hệ số 3,33", "Chuyên viên chính (01.002), bậc 2/8, hệ số 4,74"}
	schools   = []string{"Trường Đại học Ví Dụ", "Học viện Mô Phỏng", "Trường Đại học Tưởng Tượng"}
	fields    = []string{"Lưu trữ học", "Quản trị nhân lực", "Công nghệ thông tin", "Luật kinh tế"}
	topics    = []string{"Số hóa hồ sơ giấy và bảo toàn giá trị pháp lý của bản gốc", "Dấu thời gian trong lưu trữ dài hạn hồ sơ điện tử"}
)

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func newPerson(seed uint64) person {
	r := rand.New(rand.NewPCG(seed, 0x747269656e)) //nolint:gosec // a sample must come out the same again
	p := person{Female: r.IntN(2) == 0}
	name := func(female bool) string {
		middle := "Văn"
		if female {
			middle = "Thị"
		}
		return pick(r, families) + " " + middle + " " + pick(r, givens)
	}
	date := func(from, years int) (int, int, int) { return from + r.IntN(years), 1 + r.IntN(12), 1 + r.IntN(28) }
	y, m, d := date(1962, 34)
	p.Name, p.BirthDate = name(p.Female), fmt.Sprintf("%04d-%02d-%02d", y, m, d)
	p.PersonalNumber = fmt.Sprintf("999%09d", r.IntN(1_000_000_000))
	p.Alias = "Mẫu " + strings.Fields(p.Name)[2]
	p.Commune, p.Town, p.Province = "xã "+pick(r, communes), "thị trấn "+pick(r, towns), "tỉnh "+pick(r, provinces)
	p.Office = pick(r, offices)
	p.Cell, p.Unit = "Chi bộ "+p.Office, "Đảng bộ "+p.Commune
	p.Post, p.Rank = pick(r, posts), pick(r, ranks)
	jy, jm, jd := date(y+22, 6)
	p.Joined, p.Official = fmt.Sprintf("%02d/%02d/%d", jd, jm, jy), fmt.Sprintf("%02d/%02d/%d", jd, jm, jy+1)
	p.School, p.Field = pick(r, schools), pick(r, fields)
	p.Father, p.Mother, p.Spouse = name(false), name(true), name(!p.Female)
	p.Chief, p.ChiefPost = name(r.IntN(2) == 0), "GIÁM ĐỐC"
	p.Number = fmt.Sprintf("%d/QĐ-MẪU", 100+r.IntN(900))
	p.Topic = pick(r, topics)
	return p
}

// born is the birth date as papers write it.
func (p person) born() string {
	return p.BirthDate[8:] + "/" + p.BirthDate[5:7] + "/" + p.BirthDate[:4]
}

func (p person) year() int {
	year, err := strconv.Atoi(p.BirthDate[:4])
	if err != nil {
		panic("samples: a birth date that was not made here: " + p.BirthDate)
	}
	return year
}

func (p person) sex() string {
	if p.Female {
		return "Nữ"
	}
	return "Nam"
}

func (p person) address() string { return p.Commune + ", " + p.Town + ", " + p.Province }

// texts are words of the papers that stand nowhere else. Every PDF, XML and JSON file holds name, number and note as they are here.
func (p person) texts() []string {
	return []string{p.Name, p.PersonalNumber, p.Alias, p.Commune, p.Father, p.Mother, p.Spouse, p.Chief, p.Number, note}
}
