// Package standalone starts what one machine needs: a private PostgreSQL, an S3 server, and a throw-away authority with OCSP, CRL
// and time-stamps.
//
// It guarantees that
//   - everything listens on unix sockets in folders closed to others, or on loopback;
//   - one process at a time runs on a folder, and only on a folder that this package made;
//   - nothing keeps running when the process ends, by whatever means, and a start after kill -9 finds all that was
//     acknowledged;
//   - PostgreSQL never runs as root.
//
// The folder:
//
//	trien.folder   "trien-standalone 1": kind and format of the folder; "trien-production" is refused
//	lock           held while a process runs on it
//	secrets/       passwords, the S3 key, the keyring's passphrase: 0600, made at the first start
//	postgres/      the cluster; when started by root it belongs to the user "postgres", who must be able to pass the parents
//	objects/       the S3 server's data and older versions
//	authority/     the throw-away authority
//	keyring        where the caller keeps its keyring
//	run/           sockets, or a note where they are if the folder's name is too long for a socket's address
//	log/           what PostgreSQL and the S3 server say
//
// Keeping the keyring's passphrase beside the keyring protects nothing from whoever reads the folder. Standalone alone may do that:
// it is for trying out and for tests, and never for real dossiers.
package standalone
