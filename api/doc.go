// Package api is the vault's front: the HTTP interface that openapi.yaml describes, and the pages for people.
//
// It guarantees that every route stands in openapi.yaml; that a document passes through it as a stream and is in memory or on
// disk in the clear at no time; that people see a stable code and a sentence in their language and never an inner error; that
// the interface takes bearer tokens alone and the pages cookies alone, each form with its own token; and that neither logs nor
// metrics hold a name, a document's text, a query or a secret.
package api
