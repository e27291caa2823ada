package pdf

// Limits that keep hostile files from taking memory or time. Files beyond them are ErrUnsupported; real ones are far below.
const (
	maxDepth         = 100       // nesting of arrays and dictionaries
	maxObjectBytes   = 16 << 20  // text of one object without its stream data
	maxObjectNodes   = 1 << 20   // elements of one object, nested ones included
	maxNameBytes     = 4 << 10   // one name
	maxObjectNumber  = 8_388_607 // ISO 32000-1, annex C
	maxXrefEntries   = 2 << 20   // of all sections together; each costs about 20 bytes of memory
	maxXrefSections  = 4096      // length of the /Prev chain
	maxObjectStream  = 16 << 20  // one object stream, decoded
	maxRefChain      = 32        // reference to reference to …
	maxNestedLoads   = 12        // objects needed to read an object (/Length, object streams)
	maxInherited     = 64 << 20  // memory of attributes inherited on the way to one page
	maxFieldDepth    = 32        // levels of the form field tree
	maxNameTreeDepth = 32        // levels of a name tree
	maxFilters       = 4         // filters of one stream
	maxAnomalies     = 100       // kept for each document
	maxMetadata      = 1 << 20   // XMP, decoded
	maxPredictorRow  = 1 << 20   // bytes of one row

	// The text parsed for one Document in all, so that objects made to overlap or to be read again and again end in an error: a base
	// and a multiple of the file's size.
	workBase   = 256 << 20
	workFactor = 16

	objectCacheBytes = 8 << 20  // estimate of the memory of cached objects
	streamCacheBytes = 16 << 20 // decoded object streams kept
	blockBytes       = 16 << 10 // unit of reading
	blockCount       = 64       // blocks kept
)

// Limits of images.
const (
	maxImageSide     = 65_500   // pixels
	maxDecodedPixels = 16 << 20 // of pictures that must be decoded as a whole: interlaced PNG, tiled TIFF, TIFF with alpha
	maxUpdateImage   = 8 << 20  // of a picture put into an update, and of each stream made of it
	maxTIFFPages     = 2000
	maxPictureBytes  = 2 << 30  // samples of one picture
	maxTIFFBytes     = 16 << 30 // samples of all pages
	maxTIFFValues    = 1 << 20  // values of one field, such as the strips of a page
	maxColorProfile  = 8 << 20
)
