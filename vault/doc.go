// Package vault is the domain: nouns, rules and use cases of a document vault for signed electronic dossiers.
//
// It guarantees that nothing refers to anything that is not yet durable, that an acknowledged deposit is never lost and
// a refused one leaves nothing behind, that every use case authorises first, and that every access and every refusal is
// recorded before it is answered, in a record whose every line the access log commits to. It reaches the world through the
// ports of ports.go alone.
package vault
