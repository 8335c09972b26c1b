package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(client *ssh.Client, command, input string) (string, string, int) {
	session, err := client.NewSession()
	must(err)
	defer session.Close()
	var out, errors bytes.Buffer
	session.Stdin, session.Stdout, session.Stderr = strings.NewReader(input), &out, &errors
	code := 0
	if err := session.Run(command); err != nil {
		exit, ok := err.(*ssh.ExitError)
		if !ok {
			must(err)
		}
		code = exit.ExitStatus()
	}
	return out.String(), errors.String(), code
}

func main() {
	text, err := os.ReadFile(os.Getenv("KEY"))
	must(err)
	signer, err := ssh.ParsePrivateKey(text)
	must(err)
	hosts, err := os.ReadFile(os.Getenv("HOSTS"))
	must(err)
	_, _, key, _, _, err := ssh.ParseKnownHosts(hosts)
	must(err)
	client, err := ssh.Dial("tcp", "127.0.0.1:"+os.Getenv("PORT"), &ssh.ClientConfig{
		User: "anybody", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.FixedHostKey(key),
	})
	must(err)
	out, errors, code := run(client, "echo out; echo err >&2; exit 7", "")
	fmt.Print(out, errors)
	fmt.Println(code)
	echoed, _, _ := run(client, "cat", strings.Repeat("input", 1000))
	fmt.Println(echoed)
	var group sync.WaitGroup
	good := make([]int, 100)
	for n := range good {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			out, _, _ := run(client, fmt.Sprintf("echo %d", n), "")
			if strings.TrimSpace(out) == fmt.Sprint(n) {
				good[n] = 1
			}
		}(n)
	}
	group.Wait()
	sum := 0
	for _, one := range good {
		sum += one
	}
	fmt.Println(sum)
}
