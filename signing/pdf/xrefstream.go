package pdf

import (
	"bufio"
	"errors"
	"io"
)

// readXrefStream reads the cross-reference stream at off and adds its entries to section sec. It returns its dictionary and where it ends.
func (d *Document) readXrefStream(off int64, sec *section) (Dict, int64, error) {
	_, o, _, err := d.indirectAt(off, nil)
	if err != nil {
		if errors.Is(err, ErrDamaged) {
			return nil, 0, damagedf("no cross-reference section at offset %d", off)
		}
		return nil, 0, err
	}
	s, ok := o.(*Stream)
	if !ok || s.Dict["Type"] != Name("XRef") {
		return nil, 0, damagedf("no cross-reference section at offset %d", off)
	}
	widths, err := xrefWidths(s.Dict)
	if err != nil {
		return nil, 0, err
	}
	ranges, err := xrefRanges(s.Dict)
	if err != nil {
		return nil, 0, err
	}
	r, err := s.Decoded(maxXrefEntries * 24)
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	buffered := bufio.NewReader(r)
	row := make([]byte, widths[0]+widths[1]+widths[2])
	for i := 0; i < len(ranges); i += 2 {
		for num := ranges[i]; num < ranges[i]+ranges[i+1]; num++ {
			if _, err := io.ReadFull(buffered, row); err != nil {
				if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
					err = damagedf("the cross-reference stream at offset %d is too short", off)
				}
				return nil, 0, err
			}
			if err := d.addRow(num, row, widths, sec); err != nil {
				return nil, 0, err
			}
		}
	}
	return s.Dict, s.start + s.length + s.closing, nil
}

func (d *Document) addRow(num int64, row []byte, widths [3]int, s *section) error {
	if num > maxObjectNumber {
		return unsupportedf("object number %d is above %d", num, maxObjectNumber)
	}
	kind := uint64(1)
	if widths[0] > 0 {
		kind = bigEndian(row[:widths[0]])
	}
	a := bigEndian(row[widths[0] : widths[0]+widths[1]])
	b := bigEndian(row[widths[0]+widths[1]:])
	e := entry{num: uint32(num)}
	switch {
	case num == 0:
	case kind == 1 && a > 0:
		if a >= uint64(d.src.size) || b > 65535 {
			return damagedf("cross-reference entry of object %d points out of the file", num)
		}
		e.kind, e.off, e.gen = entryOffset, int64(a), uint16(b)
	case kind == 2:
		if a == 0 || a > maxObjectNumber || b > maxObjectNumber {
			return damagedf("cross-reference entry of object %d names no object stream", num)
		}
		e = compressedEntry(e.num, int64(a), int64(b))
	case kind == 0 && b <= 65535:
		e.gen = uint16(b)
	}
	return d.addEntry(e, s)
}

func bigEndian(b []byte) uint64 {
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

func xrefWidths(dict Dict) ([3]int, error) {
	var widths [3]int
	w, _ := dict["W"].(Array)
	if len(w) != 3 {
		return widths, damagedf("/W of a cross-reference stream is not three numbers")
	}
	for i, o := range w {
		n, ok := o.(Integer)
		if !ok || n < 0 || n > 8 {
			return widths, damagedf("/W of a cross-reference stream is out of range")
		}
		widths[i] = int(n)
	}
	if widths[1] == 0 {
		return widths, damagedf("/W of a cross-reference stream has no offsets")
	}
	return widths, nil
}

// xrefRanges returns pairs of first object number and count.
func xrefRanges(dict Dict) ([]int64, error) {
	index, ok := dict["Index"].(Array)
	if !ok {
		size, ok := dict["Size"].(Integer)
		if !ok || size < 0 || size > maxXrefEntries {
			return nil, damagedf("/Size of a cross-reference stream is out of range")
		}
		return []int64{0, int64(size)}, nil
	}
	ranges := make([]int64, len(index))
	if len(index)%2 != 0 {
		return nil, damagedf("/Index of a cross-reference stream is not pairs")
	}
	for i, o := range index {
		n, ok := o.(Integer)
		if !ok || n < 0 || n > maxObjectNumber+1 {
			return nil, damagedf("/Index of a cross-reference stream is out of range")
		}
		ranges[i] = int64(n)
	}
	return ranges, nil
}
