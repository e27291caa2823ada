// Package samples draws synthetic dossiers of invented people, for tests and for the demonstration.
//
// It guarantees that a seed always gives the same bytes; that every page says that it is a sample (or the file does, where it
// has no pages); that names, places and numbers cannot be a real person's: given names are words such as "Minh Họa"
// (illustration), places do not exist, and personal numbers begin with 999, which no province has; and that a file is written
// page by page, so that memory does not grow with it (about 100 MiB at 300 dpi).
//
// Digital PDFs embed their fonts. Scans are pages drawn at 300 dpi on cream paper, slightly turned, with noise, punch holes, a
// stamp and ink, and kept as JPEG in PDF, JPEG, PNG or TIFF.
package samples
