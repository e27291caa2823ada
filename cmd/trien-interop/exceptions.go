package main

// exceptions are what validators are known not to support. A verdict that needs one is marked in the table, counted, and explained below it; any
// other rejection fails the run.
var exceptions = map[string]string{
	"pdfsig-timestamp": "poppler (22.12) does not implement document time-stamps: pdfsig lists them as of unknown type and says so. The signatures " +
		"beside them must be valid and trusted; the time-stamps themselves are judged by pyHanko and by openssl ts.",
	"mutool-timestamp": "MuPDF (1.21) does not know document time-stamps and calls them not signed. pyHanko and openssl ts judge them.",
	"mutool-pss":       "MuPDF (1.21) cannot verify RSA-PSS. All others verify the same signature.",
	"pdfsig-same-signer": "pdfsig (poppler 22.12, NSS) says 'Unknown issue with Certificate' of every signature but the first by one certificate, also when " +
		"pyHanko alone made them. The signature itself is valid.",
	"pyhanko-lock": "Of a locked form field with an appearance pyHanko's default policy says 'not allowed because the form field is locked' after every later " +
		"revision, its own too, that does not touch the field. The verdict is that of its policy without overwriting of appearances, which is stricter.",
	"pyhanko-hybrid": "pyHanko's strict reader judges no signature in a hybrid-reference file (a table with /XRefStm), whoever made it. The verdict " +
		"is that of its lenient reader.",
	"input-flaw": "The reader complains of the input as it was before we signed it, and of nothing more afterwards. Its bytes stay as they are.",
}
