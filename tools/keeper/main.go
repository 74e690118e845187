// Command keeper makes the blocks of a regtest chain by a policy, and says what fees are.
//
//	keeper CONFIG.json
//
// It mines nothing before it is released (POST /hold with 0 seconds), because whoever raises a network makes the
// blocks himself until it stands. What is changed over HTTP lasts until the keeper ends; then the file counts again.
// GET /fees is what lnd's `fee.url` reads, and POST / answers `estimatesmartfee` as bitcoind would. Everything that
// changes something wants the password of the chain's RPC. It holds no money and no keys, and ends at once when told to.
package main

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math/rand"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Policies of making blocks.
const (
	onDemand      = "on-demand"
	interval      = "interval"
	poisson       = "poisson"
	onTransaction = "on-transaction"
)

const (
	look     = 100 * time.Millisecond // how often on-transaction looks into the mempool
	shortest = 50 * time.Millisecond  // the shortest time between two blocks
	mostFee  = 10_000                 // satoshis per virtual byte
)

// Policy is how blocks are made; Interval is the mean for poisson, which Seed makes repeatable.
type Policy struct {
	Mining   string `json:"mining"`
	Interval int64  `json:"interval_ms"`
	Seed     int64  `json:"seed"`
}

func (p Policy) check() error {
	switch p.Mining {
	case onDemand, onTransaction:
		return nil
	case interval, poisson:
		if time.Duration(p.Interval)*time.Millisecond < shortest {
			return fmt.Errorf("a block every %d ms is too often: %s at least", p.Interval, shortest)
		}
		return nil
	}
	return fmt.Errorf("%q is no mining policy", p.Mining)
}

// Config is what the file says.
type Config struct {
	Listen   string `json:"listen"`
	Rpc      string `json:"rpc"`
	User     string `json:"user"`
	Password string `json:"password"`
	FeeRate  int64  `json:"fee_rate"`
	Policy
}

// Keeper is what runs: its policy, its fee rate, and until when it is held.
type Keeper struct {
	config  Config
	chain   Chain
	changed chan struct{} // wakes the miner; holds one wake-up at most

	mutex   sync.Mutex
	policy  Policy
	random  *rand.Rand
	feeRate int64
	held    bool
	until   time.Time // zero while held for good
	mined   int64
	failure string
}

// Status is what GET /status says.
type Status struct {
	Policy
	FeeRate int64  `json:"fee_rate"`
	Held    bool   `json:"held"`
	Mined   int64  `json:"mined"`
	Failure string `json:"failure"`
}

func main() {
	log.SetFlags(log.LstdFlags | log.Lmicroseconds | log.LUTC)
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: keeper CONFIG.json")
		os.Exit(2)
	}
	keeper, err := open(os.Args[1])
	if err != nil {
		log.Fatalf("keeper: %v", err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		os.Exit(0)
	}()
	go keeper.work()
	server := &http.Server{Addr: keeper.config.Listen, Handler: keeper.handler(), ReadTimeout: 10 * time.Second}
	log.Fatalf("keeper: %v", server.ListenAndServe())
}

func open(path string) (*Keeper, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	config := Config{}
	if err := json.Unmarshal(raw, &config); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := config.Policy.check(); err != nil {
		return nil, err
	}
	keeper := &Keeper{
		config:  config,
		chain:   Chain{url: "http://" + config.Rpc, user: config.User, password: config.Password},
		changed: make(chan struct{}, 1),
		feeRate: config.FeeRate,
		held:    true,
	}
	keeper.follow(config.Policy)
	return keeper, nil
}

// follow takes a policy, and begins its chance anew.
func (k *Keeper) follow(policy Policy) {
	k.policy, k.random = policy, rand.New(rand.NewSource(policy.Seed))
}

// pause says how long to wait before the next block, or the next look; on demand it is until something changes.
func (k *Keeper) pause() (time.Duration, bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.held && !k.until.IsZero() && time.Now().After(k.until) {
		k.held = false
	}
	mean := time.Duration(k.policy.Interval) * time.Millisecond
	switch {
	case k.held && k.until.IsZero():
		return time.Hour, false
	case k.held:
		return time.Until(k.until), false
	case k.policy.Mining == interval:
		return mean, true
	case k.policy.Mining == poisson:
		return max(shortest, time.Duration(k.random.ExpFloat64()*float64(mean))), true
	case k.policy.Mining == onTransaction:
		return look, true
	}
	return time.Hour, false
}

// work makes blocks for ever; an error is remembered and told once, and the next block is tried in its turn.
func (k *Keeper) work() {
	for {
		wait, mining := k.pause()
		timer := time.NewTimer(wait)
		select {
		case <-k.changed:
			timer.Stop()
			continue
		case <-timer.C:
		}
		if mining {
			k.note(k.turn())
		}
	}
}

func (k *Keeper) turn() (bool, error) {
	k.mutex.Lock()
	waits := k.policy.Mining == onTransaction
	k.mutex.Unlock()
	if waits {
		if there, err := k.chain.waiting(); err != nil || there == 0 {
			return false, err
		}
	}
	return true, k.chain.mine()
}

func (k *Keeper) note(made bool, err error) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if err != nil {
		if k.failure != err.Error() {
			log.Printf("no block: %v", err)
		}
		k.failure = err.Error()
		return
	}
	k.failure = ""
	if made {
		k.mined++
	}
}

func (k *Keeper) handler() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	routes.HandleFunc("GET /fees", k.fees)
	routes.HandleFunc("POST /{$}", k.estimate)
	routes.HandleFunc("GET /status", k.guarded(func(*http.Request) error { return nil }))
	routes.HandleFunc("POST /policy", k.guarded(k.setPolicy))
	routes.HandleFunc("POST /fee", k.guarded(k.setFee))
	routes.HandleFunc("POST /hold", k.guarded(k.hold))
	return routes
}

// guarded does something for whoever knows the password, wakes the miner, and answers with the status.
func (k *Keeper) guarded(do func(*http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(password), []byte(k.config.Password)) != 1 {
			http.Error(w, "the password is not that of this chain", http.StatusUnauthorized)
			return
		}
		k.mutex.Lock()
		defer k.mutex.Unlock()
		if err := do(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if r.Method == http.MethodPost {
			select {
			case k.changed <- struct{}{}:
			default:
			}
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(Status{k.policy, k.feeRate, k.held, k.mined, k.failure})
	}
}

func (k *Keeper) setPolicy(r *http.Request) error {
	policy := Policy{}
	if err := json.NewDecoder(r.Body).Decode(&policy); err != nil {
		return err
	}
	if err := policy.check(); err != nil {
		return err
	}
	k.follow(policy)
	return nil
}

func (k *Keeper) setFee(r *http.Request) error {
	wanted := struct {
		Rate int64 `json:"rate"`
	}{}
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil {
		return err
	}
	if wanted.Rate < 1 || wanted.Rate > mostFee {
		return fmt.Errorf("%d sat/vB is no fee rate: 1 to %d", wanted.Rate, mostFee)
	}
	k.feeRate = wanted.Rate
	return nil
}

// hold keeps the miner still for so many seconds, so that a killed caller holds it no longer; 0 lets it go on.
func (k *Keeper) hold(r *http.Request) error {
	wanted := struct {
		Seconds *float64 `json:"seconds"`
	}{}
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil {
		return err
	}
	if wanted.Seconds == nil || *wanted.Seconds < 0 {
		return errors.New("say for how many seconds")
	}
	k.held = *wanted.Seconds > 0
	k.until = time.Now().Add(time.Duration(*wanted.Seconds * float64(time.Second)))
	return nil
}

// fees says the same rate for every target, in satoshis per thousand virtual bytes, as lnd reads it.
func (k *Keeper) fees(w http.ResponseWriter, _ *http.Request) {
	k.mutex.Lock()
	rate := k.feeRate * 1000
	k.mutex.Unlock()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{
		"fee_by_block_target": map[string]int64{"1": rate, "2": rate, "6": rate, "144": rate, "1008": rate},
		"min_relay_feerate":   1000,
	})
}

// estimate says the same rate in bitcoin per thousand virtual bytes, as bitcoind answers `estimatesmartfee`.
func (k *Keeper) estimate(w http.ResponseWriter, r *http.Request) {
	asked := struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}{}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := map[string]any{"id": asked.ID, "result": nil, "error": nil}
	if asked.Method == "estimatesmartfee" {
		k.mutex.Lock()
		answer["result"] = map[string]any{"feerate": float64(k.feeRate) / 100_000, "blocks": 1}
		k.mutex.Unlock()
	} else {
		answer["error"] = map[string]any{"code": -32601, "message": "asked for fees alone"}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer)
}
