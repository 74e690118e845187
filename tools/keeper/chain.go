package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// burn is where rewards go that nobody needs: a script anybody can spend.
const burn = "raw(51)#8lvh9jxk"

var client = &http.Client{Timeout: 30 * time.Second}

// Chain is a bitcoind, by its RPC.
type Chain struct{ url, user, password string }

// mine makes one block with everything that waits, and has it written to disk, which bitcoind else does once an hour.
func (c Chain) mine() error {
	if err := c.call(nil, "generatetodescriptor", 1, burn); err != nil {
		return err
	}
	return c.call(nil, "gettxoutsetinfo", "none")
}

// waiting returns how many transactions are in the mempool.
func (c Chain) waiting() (int, error) {
	info := struct {
		Size int `json:"size"`
	}{}
	err := c.call(&info, "getmempoolinfo")
	return info.Size, err
}

func (c Chain) call(result any, method string, parameters ...any) error {
	if parameters == nil {
		parameters = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": 0, "method": method, "params": parameters})
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.SetBasicAuth(c.user, c.password)
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("%s: the chain does not answer", method)
	}
	defer answer.Body.Close()
	reply := struct {
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Message string `json:"message"`
		} `json:"error"`
	}{}
	if err := json.NewDecoder(answer.Body).Decode(&reply); err != nil {
		return fmt.Errorf("%s: status %d", method, answer.StatusCode)
	}
	if reply.Error != nil {
		return fmt.Errorf("%s: %s", method, reply.Error.Message)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(reply.Result, result)
}
