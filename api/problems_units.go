package api

import (
	"net/http"

	"trien/vault"
)

var unitKinds = []kind{
	{vault.ErrUnitCode, http.StatusConflict, "unit_code",
		text{"Mã đơn vị đã dùng", "Một đơn vị khác, hoặc đơn vị này với thông tin khác, đã mang mã đó. Mã không dùng lại, kể cả khi đơn vị đã giải thể."},
		text{"Unit code taken", "Another unit has this code, or the same unit with other particulars. Codes are not used again, even after an end."}, 0},
	{vault.ErrUnitName, http.StatusConflict, "unit_name",
		text{"Trùng tên đơn vị", "Cùng cấp trên đã có đơn vị mang tên này trong thời gian đó."},
		text{"Unit name taken", "A unit of this name stands under the same unit at that time."}, 0},
	{vault.ErrUnitLevel, http.StatusUnprocessableEntity, "unit_level",
		text{"Không có cấp này", "Hãy dùng mã hoặc tên của một cấp có trong danh sách cấp."},
		text{"No such level", "Use the code or the name of a level that is listed."}, 0},
	{vault.ErrUnitNotThere, http.StatusConflict, "unit_not_there",
		text{"Đơn vị không tồn tại trong thời gian đó", "Đơn vị phải được thành lập không sau ngày hiệu lực và chưa kết thúc hoạt động."},
		text{"Unit not there at that time", "The unit must have begun by the day of effect, and must not have ended."}, 0},
	{vault.ErrUnitCycle, http.StatusConflict, "unit_cycle",
		text{"Cây tổ chức bị vòng", "Đơn vị sẽ trực thuộc chính nó, ngay hoặc qua đơn vị khác."},
		text{"Unit under itself", "The unit would stand under itself, directly or through others."}, 0},
	{vault.ErrUnitInUse, http.StatusConflict, "unit_in_use",
		text{"Đơn vị còn hồ sơ, tài khoản hoặc đơn vị trực thuộc", "Hãy nêu đơn vị kế thừa để tiếp nhận."},
		text{"Unit in use", "It has dossiers, accounts or units under it. Name the successor that takes them."}, 0},
	{vault.ErrUnitSuccessor, http.StatusConflict, "unit_successor",
		text{"Đơn vị kế thừa không hợp lệ", "Đơn vị kế thừa không được là đơn vị kết thúc hoặc trực thuộc đơn vị đó."},
		text{"Successor not taken", "The successor must be neither the unit that ends nor under it."}, 0},
	{vault.ErrUnitLater, http.StatusConflict, "unit_later",
		text{"Trái với việc đã ghi nhận sau đó", "Đơn vị đã có thay đổi cùng ngày hoặc sau ngày hiệu lực này. Xem lịch sử đơn vị."},
		text{"Against a later act", "The unit has an act of the same day or later. See its history."}, 0},
	{vault.ErrUnitChanged, http.StatusConflict, "unit_changed",
		text{"Đơn vị vừa thay đổi", "Người khác vừa ghi nhận một thay đổi của đơn vị này. Xem lại rồi thực hiện lại."},
		text{"Unit has changed", "Somebody else has just recorded an act on this unit. Look again and try again."}, 0},
	{vault.ErrUnitFuture, http.StatusUnprocessableEntity, "unit_future",
		text{"Chưa đến ngày hiệu lực", "Thay đổi tổ chức được ghi nhận từ ngày có hiệu lực; ngày quyết định cũng không được ở tương lai."},
		text{"Not in effect yet", "An act is recorded from the day on which it takes effect; nor may the decision be of a day to come."}, 0},
	{vault.ErrUnitFile, http.StatusUnprocessableEntity, "unit_file",
		text{"Tệp đơn vị không đọc được", "Tệp phải là CSV mã UTF-8, phân cách bằng dấu phẩy hoặc chấm phẩy, dấu nháy đúng quy cách."},
		text{"File of units cannot be read", "It must be CSV in UTF-8, with commas or semicolons and well-formed quotes."}, 0},
	{vault.ErrUnitHeading, http.StatusUnprocessableEntity, "unit_heading",
		text{"Dòng tiêu đề chưa đúng", "Cần đúng các cột: Mã đơn vị, Tên đơn vị, Cấp, Mã đơn vị cấp trên, Ngày thành lập, Số quyết định, Ngày quyết định."},
		text{"Heading not understood", "The columns are: code, name, level, parent, established, decision, decided."}, 0},
	{vault.ErrUnitColumns, http.StatusUnprocessableEntity, "unit_columns",
		text{"Sai số cột", "Dòng phải có đủ số cột như dòng tiêu đề."},
		text{"Wrong number of columns", "The line must have as many columns as the heading."}, 0},
	{vault.ErrUnitDate, http.StatusUnprocessableEntity, "unit_date",
		text{"Ngày không hợp lệ", "Ngày ghi theo dạng ngày/tháng/năm, ví dụ 09/03/2025."},
		text{"Not a day", "Days are written dd/mm/yyyy, for example 09/03/2025."}, 0},
}
