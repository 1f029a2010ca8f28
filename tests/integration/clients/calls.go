// calls.go BASE KEY COUNT: POSTs with net/http as the Go SDK makes them: Close, so one connection
// for each. Prints one status and body a line.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

func main() {
	count, _ := strconv.Atoi(os.Args[3])
	for i := 0; i < count; i++ {
		request, err := http.NewRequest("POST", os.Args[1]+"/api/v2/emulator/upload", strings.NewReader("a body"))
		if err != nil {
			panic(err)
		}
		request.Close = true
		request.Header.Set("Authorization", "Bearer handle")
		request.Header.Set("Idempotency-Key", os.Args[2]+strconv.Itoa(i))
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			panic(err)
		}
		answer.Body.Close()
		fmt.Println(answer.StatusCode, string(body))
	}
}
