package samples

import (
	"fmt"
	"strings"
)

const (
	party1 = "ĐẢNG CỘNG SẢN VIỆT NAM"
	state1 = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
	state2 = "Độc lập – Tự do – Hạnh phúc"
)

func (p person) place(day int) string {
	return fmt.Sprintf("%s, ngày %02d tháng %02d năm 2026", strings.TrimPrefix(p.Province, "tỉnh "), day, 3+day%8)
}

func (p person) stateHeads(s *sheet) {
	s.heads([]string{"UBND " + strings.ToUpper(p.Province), strings.ToUpper(p.Office), "Số: " + p.Number}, []string{state1, state2})
}

func (p person) partyHeads(s *sheet) {
	s.heads([]string{strings.ToUpper(p.Unit), strings.ToUpper(p.Cell)}, []string{party1, p.place(7)})
}

// A form of the party, filled in with a pen.
func memberSlip(p person) []page {
	s := portrait()
	s.filledByHand = true
	p.partyHeads(s)
	s.page().box(margin, s.y+2, 30, 40)
	s.put(text{x: margin + 6, y: s.y + 23, size: 10, style: italic, s: "Ảnh 3 × 4"})
	s.skip(8)
	s.middle("PHIẾU ĐẢNG VIÊN", 19, bold)
	s.middle("(Bản số hóa từ phiếu giấy)", 11.5, italic)
	s.skip(18)
	for _, f := range [][2]string{
		{"1. Họ và tên khai sinh", p.Name}, {"2. Tên gọi khác", p.Alias}, {"3. Giới tính", p.sex()}, {"4. Sinh ngày", p.born()},
		{"5. Số định danh cá nhân", p.PersonalNumber}, {"6. Nơi sinh", p.address()}, {"7. Quê quán", p.Commune + ", " + p.Province},
		{"8. Dân tộc", "Kinh"}, {"9. Tôn giáo", "Không"}, {"10. Nơi ở hiện nay", p.address()},
		{"11. Ngày vào Đảng", p.Joined}, {"12. Ngày chính thức", p.Official}, {"13. Nơi sinh hoạt", p.Cell + ", " + p.Unit},
		{"14. Trình độ giáo dục phổ thông", "12/12"}, {"15. Chuyên môn", "Đại học, ngành " + p.Field},
		{"16. Lý luận chính trị", "Trung cấp"}, {"17. Ngoại ngữ", "Tiếng Anh, bậc 4"}, {"18. Nghề nghiệp hiện nay", p.Post + ", " + p.Office},
	} {
		s.field(f[0], f[1])
	}
	s.skip(4)
	s.paragraph("19. Quá trình công tác", bodySize, bold, 0)
	s.table([]float64{0.28, 0.47, 0.25}, p.career())
	s.paragraph("20. Hoàn cảnh gia đình", bodySize, bold, 0)
	s.table([]float64{0.2, 0.34, 0.46}, [][]string{
		{"Quan hệ", "Họ và tên", "Nghề nghiệp, nơi ở"},
		{"Cha", p.Father, "Hưu trí, " + p.Commune}, {"Mẹ", p.Mother, "Hưu trí, " + p.Commune}, {"Vợ hoặc chồng", p.Spouse, "Giáo viên, " + p.Town},
	})
	s.paragraph("Tôi cam đoan những điều khai trên là đúng sự thật và chịu trách nhiệm trước Đảng về lời khai của mình.", bodySize, italic, 8)
	s.signed(p.place(9), "T/M CẤP ỦY", p.Chief, strings.ToUpper(p.Unit), 1)
	return s.pages
}

func (p person) career() [][]string {
	rows := [][]string{{"Từ – đến", "Đơn vị, nơi công tác", "Chức vụ"}}
	began := p.year() + 18
	for _, stage := range []struct {
		years       int
		where, post string
	}{
		{4, p.School, "Sinh viên"}, {3, p.Office + " " + p.Province, "Tập sự, chuyên viên"}, {1, p.Office + " " + p.Province, "Chuyên viên"},
	} {
		rows = append(rows, []string{fmt.Sprintf("09/%d – 08/%d", began, began+stage.years), stage.where, stage.post})
		began += stage.years
	}
	return append(rows, []string{fmt.Sprintf("09/%d – nay", began), p.Office + " " + p.Province, p.Post})
}

// Mẫu 2C: printed from a computer.
func curriculumVitae(p person) []page {
	s := portrait()
	s.heads([]string{"CƠ QUAN QUẢN LÝ", strings.ToUpper(p.Office)}, []string{state1, state2})
	s.skip(4)
	s.middle("SƠ YẾU LÝ LỊCH", 18, bold)
	s.middle("CÁN BỘ, CÔNG CHỨC", 13, bold)
	s.skip(4)
	for _, f := range [][2]string{
		{"1) Họ và tên khai sinh", strings.ToUpper(p.Name)}, {"2) Tên gọi khác", p.Alias}, {"3) Sinh ngày", p.born() + ", giới tính: " + p.sex()},
		{"4) Nơi sinh", p.address()}, {"5) Quê quán", p.Commune + ", " + p.Province}, {"6) Dân tộc", "Kinh. Tôn giáo: Không"},
		{"7) Số định danh cá nhân", p.PersonalNumber}, {"8) Nơi ở hiện nay", p.address()},
		{"9) Chức vụ hiện tại", p.Post + ", " + p.Office}, {"10) Ngạch, bậc", p.Rank}, {"11) Ngày vào Đảng", p.Joined + ", chính thức " + p.Official},
		{"12) Trình độ", "Đại học, " + p.Field + ", " + p.School}, {"13) Sở trường công tác", "Tổng hợp, lưu trữ"}, {"14) Khen thưởng", "Giấy khen của " + p.Office + " năm 2023"},
		{"15) Kỷ luật", "Không"},
	} {
		s.field(f[0], f[1])
	}
	s.skip(4)
	s.paragraph("16) Tóm tắt quá trình công tác", bodySize, bold, 0)
	s.table([]float64{0.28, 0.47, 0.25}, p.career())
	s.paragraph("17) Đặc điểm lịch sử bản thân", bodySize, bold, 0)
	s.paragraph(filler(p, 3), bodySize, regular, 8)
	s.paragraph("18) Nhận xét, đánh giá của cơ quan", bodySize, bold, 0)
	s.paragraph(filler(p, 5), bodySize, regular, 8)
	s.signed(p.place(12), p.ChiefPost, p.Chief, "", 2)
	return s.pages
}

func decision(p person) []page {
	s := portrait()
	p.stateHeads(s)
	s.skip(4)
	s.middle("QUYẾT ĐỊNH", 16, bold)
	s.middle("Về việc bổ nhiệm có thời hạn đối với công chức", 13.5, bold)
	s.skip(5)
	s.middle("GIÁM ĐỐC "+strings.ToUpper(p.Office), 13, bold)
	s.skip(3)
	for _, basis := range []string{
		"Căn cứ chức năng, nhiệm vụ, quyền hạn và cơ cấu tổ chức của " + p.Office + ";",
		"Căn cứ kết quả đánh giá, xếp loại chất lượng công chức năm 2025;",
		"Xét đề nghị của Trưởng phòng Tổ chức cán bộ.",
	} {
		s.paragraph(basis, 13, italic, 10)
	}
	s.skip(3)
	s.middle("QUYẾT ĐỊNH:", 14, bold)
	s.skip(2)
	for i, article := range []string{
		fmt.Sprintf("Bổ nhiệm %s, sinh ngày %s, số định danh %s, giữ chức vụ %s, %s, thời hạn 05 năm kể từ ngày ký.", p.Name, p.born(), p.PersonalNumber, p.Post, p.Office),
		"Người được bổ nhiệm hưởng phụ cấp chức vụ theo quy định hiện hành.",
		"Quyết định này có hiệu lực từ ngày ký. Chánh Văn phòng, Trưởng phòng Tổ chức cán bộ và người có tên tại Điều 1 chịu trách nhiệm thi hành.",
	} {
		s.paragraph(fmt.Sprintf("Điều %d. %s", i+1, article), 13, regular, 10)
	}
	s.signed(p.place(15), p.ChiefPost, p.Chief, strings.ToUpper(p.Office), 3)
	return s.pages
}

func evaluation(p person) []page {
	s := portrait()
	s.filledByHand = true
	p.stateHeads(s)
	s.skip(3)
	s.middle("PHIẾU ĐÁNH GIÁ, XẾP LOẠI CHẤT LƯỢNG CÔNG CHỨC", 14, bold)
	s.middle("Năm 2025", 12.5, italic)
	s.skip(3)
	s.field("Họ và tên", p.Name)
	s.field("Chức vụ, đơn vị", p.Post+", "+p.Office)
	s.skip(3)
	s.paragraph("I. Kết quả tự đánh giá", bodySize, bold, 0)
	s.table([]float64{0.08, 0.66, 0.26}, [][]string{
		{"TT", "Tiêu chí", "Mức độ"}, {"1", "Chính trị tư tưởng", "Tốt"}, {"2", "Đạo đức, lối sống", "Tốt"}, {"3", "Tác phong, lề lối làm việc", "Tốt"},
		{"4", "Ý thức tổ chức kỷ luật", "Tốt"}, {"5", "Kết quả thực hiện chức trách, nhiệm vụ được giao", "Hoàn thành 96 %"}, {"6", "Thái độ phục vụ", "Tốt"},
	})
	s.paragraph("II. Tự nhận xét", bodySize, bold, 0)
	s.paragraph(filler(p, 6), bodySize, regular, 8)
	s.paragraph("III. Ý kiến của người có thẩm quyền: Hoàn thành tốt nhiệm vụ.", bodySize, bold, 0)
	s.signed(p.place(20), p.ChiefPost, p.Chief, strings.ToUpper(p.Office), 4)
	return s.pages
}

func vettingConclusion(p person) []page {
	s := portrait()
	p.partyHeads(s)
	s.skip(6)
	s.middle("KẾT LUẬN", 17, bold)
	s.middle("Về tiêu chuẩn chính trị", 14, bold)
	s.skip(5)
	s.paragraph(fmt.Sprintf("Kính gửi: %s. Sau khi xem xét hồ sơ của %s, sinh ngày %s, quê quán %s, cơ quan thẩm định kết luận như sau:", p.Unit, p.Name, p.born(), p.Commune), 13, regular, 10)
	s.paragraph(filler(p, 4), 13, regular, 10)
	s.paragraph("Không phát hiện vấn đề về tiêu chuẩn chính trị. Kết luận này là dữ liệu giả, lập ra để thử phần mềm.", 13, bold, 10)
	s.signed(p.place(4), "T/M BAN THƯỜNG VỤ", p.Chief, strings.ToUpper(p.Unit), 5)
	return s.pages
}

func healthClass(p person) []page {
	s := portrait()
	s.filledByHand = true
	s.heads([]string{"BỆNH VIỆN MÔ PHỎNG", "HỘI ĐỒNG KHÁM SỨC KHỎE"}, []string{state1, state2})
	s.skip(6)
	s.middle("KẾT LUẬN PHÂN LOẠI SỨC KHỎE", 16, bold)
	s.skip(5)
	for _, f := range [][2]string{
		{"Họ và tên", p.Name}, {"Sinh ngày", p.born()}, {"Giới tính", p.sex()}, {"Đơn vị", p.Office}, {"Chiều cao, cân nặng", "165 cm, 58 kg"},
		{"Huyết áp", "120/80 mmHg"}, {"Mạch", "72 lần/phút"}, {"Thị lực", "10/10; 10/10"}, {"Xét nghiệm", "Trong giới hạn bình thường"}, {"Phân loại", "Loại II"},
		{"Lời khuyên", "Tập thể dục đều đặn, khám lại sau 12 tháng"},
	} {
		s.field(f[0], f[1])
	}
	s.signed(p.place(22), "CHỦ TỊCH HỘI ĐỒNG", p.Chief, "BỆNH VIỆN MÔ PHỎNG", 6)
	return s.pages
}

func diploma(p person) []page {
	s := landscape()
	s.page().box(10, 10, longMM-20, shortMM-22)
	s.page().box(12, 12, longMM-24, shortMM-26)
	s.middle(state1, 14, bold)
	s.middle(state2, 12.5, bold)
	s.skip(5)
	s.middle("HIỆU TRƯỞNG "+strings.ToUpper(p.School), 14, bold)
	s.middle("cấp", 12, italic)
	s.middle("BẰNG CỬ NHÂN", 30, bold)
	s.middle("Ngành: "+p.Field, 15, bold)
	s.skip(3)
	s.middle("Cho: "+p.Name, 18, bold)
	s.middle("Sinh ngày "+p.born()+" tại "+p.Commune, 13, regular)
	s.middle("Xếp loại: Khá – Hình thức đào tạo: Chính quy", 13, regular)
	s.skip(4)
	s.signed(p.place(25), "HIỆU TRƯỞNG", p.Chief, strings.ToUpper(p.School), 7)
	return s.pages
}

func trainingCertificate(p person) []page {
	s := landscape()
	s.page().box(10, 10, longMM-20, shortMM-22)
	s.skip(6)
	s.middle(strings.ToUpper(p.School), 14, bold)
	s.skip(8)
	s.middle("CHỨNG CHỈ BỒI DƯỠNG", 26, bold)
	s.skip(4)
	s.middle(p.Name+", sinh ngày "+p.born(), 17, bold)
	s.middle("đã hoàn thành chương trình bồi dưỡng nghiệp vụ lưu trữ điện tử (120 tiết)", 14, regular)
	s.signed(p.place(27), "GIÁM ĐỐC TRUNG TÂM", p.Chief, strings.ToUpper(p.School), 8)
	return s.pages
}

// longPaper is a paper of n pages: admission files and research papers.
func longPaper(title string, n int) func(person) []page {
	return func(p person) []page {
		s := portrait()
		p.stateHeads(s)
		s.skip(10)
		s.middle(title, 17, bold)
		s.middle(p.Topic, 13, italic)
		s.skip(6)
		s.field("Người lập", p.Name)
		s.field("Đơn vị", p.Office)
		s.skip(4)
		for part := 1; len(s.pages) < n; part++ {
			s.paragraph(fmt.Sprintf("%d. Phần thứ %d", part, part), 13, bold, 0)
			for i := range 3 {
				s.paragraph(filler(p, part*3+i), bodySize, regular, 8)
			}
		}
		s.signed(p.place(28), p.ChiefPost, p.Chief, strings.ToUpper(p.Office), 9)
		return s.pages
	}
}

var sentences = []string{
	"Đồng chí %s chấp hành nghiêm chủ trương, đường lối của Đảng và chính sách, pháp luật của Nhà nước.",
	"Trong thời gian công tác tại đơn vị, %s luôn hoàn thành nhiệm vụ được giao, đúng tiến độ và bảo đảm chất lượng.",
	"Hồ sơ giấy được kiểm đếm, đánh số tờ, quét ở độ phân giải 300 điểm ảnh trên một inch rồi đối chiếu với bản gốc.",
	"Mỗi tài liệu được gắn dấu thời gian để chứng minh thời điểm tồn tại của dữ liệu.",
	"Quan hệ với quần chúng nơi cư trú tốt, được nhân dân tin yêu; gia đình %s gương mẫu.",
	"Việc khai thác hồ sơ phải có phiếu yêu cầu được phê duyệt và được ghi nhật ký đầy đủ.",
	"Các nội dung trên do %s tự khai, đã được chi bộ thẩm tra, xác nhận.",
	"Kiến nghị tiếp tục bồi dưỡng nghiệp vụ, ngoại ngữ và kỹ năng số trong những năm tới.",
	"Những chữ khó in như ĩ, ỹ, ẵ, ễ, ỡ, ữ, ợ, ậ, ặ, ẽ, Đ, đ có mặt ở đây để thử phông chữ.",
}

// filler is a paragraph, the same one for the same n.
func filler(p person, n int) string {
	var b strings.Builder
	for i := range 4 {
		sentence := sentences[(n*4+i*5+n/3)%len(sentences)]
		if strings.Contains(sentence, "%s") {
			sentence = fmt.Sprintf(sentence, p.Name)
		}
		b.WriteString(sentence + " ")
	}
	return strings.TrimSpace(b.String())
}
