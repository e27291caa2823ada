package main

// exceptions are what validators are known not to support. A verdict that needs one is marked in the table, counted, and explained below it; any
// other rejection fails the run.
var exceptions = map[string]string{
	"pdfsig-timestamp": "poppler (22.12) does not implement document time-stamps: pdfsig lists them as ETSI.RFC3161 and says so. The signatures " +
		"beside them must be valid and trusted; the time-stamps themselves are judged by pyHanko and by openssl ts.",
	"pyhanko-hybrid": "pyHanko's strict reader judges no signature in a hybrid-reference file (a table with /XRefStm), whoever made it. The verdict " +
		"is that of its lenient reader.",
	"input-flaw": "The reader complains of the input as it was before we signed it, and of nothing more afterwards. Its bytes stay as they are.",
}
