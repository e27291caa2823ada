// Command exhausted takes memory until there is none.
package main

var hold [][]byte

func main() {
	for {
		hold = append(hold, make([]byte, 1<<30))
	}
}
