// Command panicking ends without an answer.
package main

func main() { panic("a fault of the program") }
