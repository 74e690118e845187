package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
	"github.com/btcsuite/btcwallet/snacl"
	"github.com/btcsuite/btcwallet/waddrmgr"
	"github.com/btcsuite/btcwallet/wallet"
	"github.com/btcsuite/btcwallet/walletdb"
	"github.com/btcsuite/btcwallet/wtxmgr"
	"github.com/lightningnetwork/lnd/keychain"
	"github.com/lightningnetwork/lnd/lnwallet"
	"github.com/lightningnetwork/lnd/lnwallet/btcwallet"
)

const (
	chainFolder = "data/chain/bitcoin/regtest"
	allFamilies = 255 // lnd makes an account for each at its first start; made here, that start is shorter
	day         = 24 * time.Hour
)

var (
	regtest   = &chaincfg.RegressionNetParams
	cheap     = waddrmgr.FastScryptOptions
	manager   = []byte("waddrmgr") // the wallet's own name for the part of its database with the addresses
	store     = []byte("wtxmgr")   // and with the transactions
	beginning = regtest.GenesisBlock.Header.Timestamp
)

type nodeRequest struct {
	Name            string   `json:"name"`
	Seed            string   `json:"seed"`
	MacaroonRootKey string   `json:"macaroon_root_key"`
	Addresses       uint32   `json:"addresses"`
	Hosts           []string `json:"hosts"`
	IPs             []string `json:"ips"`
}

type block struct {
	Height int32  `json:"height"`
	Hash   string `json:"hash"`
	Time   int64  `json:"time"`
}

type public struct {
	Name      string   `json:"name"`
	PubKey    string   `json:"pubkey"`
	Addresses []string `json:"addresses"`
}

type files struct {
	Name  string            `json:"name"`
	Files map[string][]byte `json:"files"` // encoding/json writes bytes as base64
}

// node is a wallet under construction: open, with its keys made.
type node struct {
	public  public
	request nodeRequest
	loader  *wallet.Loader
	wallet  *wallet.Wallet
	coins   map[wire.OutPoint]bool // paid to it
}

func init() {
	waddrmgr.SetSecretKeyGen(func(pass *[]byte, _ *waddrmgr.ScryptOptions) (*snacl.SecretKey, error) {
		return snacl.NewSecretKey(pass, cheap.N, cheap.R, cheap.P)
	})
}

// create writes a wallet with all its accounts and the wanted number of receiving addresses, and leaves it open.
func create(root string, request nodeRequest) (*node, error) {
	fail := func(err error) (*node, error) { return nil, fmt.Errorf("node %q: %w", request.Name, err) }
	seed, err := hex.DecodeString(request.Seed)
	if err != nil || len(seed) != 32 {
		return fail(fmt.Errorf("the seed must be 32 bytes in hex"))
	}
	folder, err := os.MkdirTemp(root, "node-")
	if err != nil {
		return fail(err)
	}
	loader, err := btcwallet.NewWalletLoader(regtest, 0, btcwallet.LoaderWithLocalWalletDB(folder, true, time.Minute))
	if err != nil {
		return fail(err)
	}
	opened, err := loader.CreateNewWallet(
		lnwallet.DefaultPublicPassphrase, lnwallet.DefaultPrivatePassphrase, seed, beginning,
	)
	if err != nil {
		return fail(err)
	}
	made := &node{
		public: public{Name: request.Name}, request: request, loader: loader, wallet: opened, coins: map[wire.OutPoint]bool{},
	}
	if err := made.deriveKeys(); err != nil {
		return fail(err)
	}
	return made, nil
}

// deriveKeys makes what lnd would make at its first start, in its order, and the addresses that can be paid before it.
func (n *node) deriveKeys() error {
	if err := n.wallet.Unlock(lnwallet.DefaultPrivatePassphrase, nil); err != nil {
		return err
	}
	for _, scope := range btcwallet.LndDefaultKeyScopes {
		if _, err := n.wallet.Manager.FetchScopedKeyManager(scope); waddrmgr.IsError(err, waddrmgr.ErrScopeNotFound) {
			if _, err := n.wallet.AddScopeManager(scope, waddrmgr.ScopeAddrMap[scope]); err != nil {
				return err
			}
		}
	}
	lightning := waddrmgr.KeyScope{Purpose: keychain.BIP0043Purpose, Coin: keychain.CoinTypeTestnet}
	schema := waddrmgr.ScopeAddrSchema{
		ExternalAddrType: waddrmgr.WitnessPubKey, InternalAddrType: waddrmgr.WitnessPubKey,
	}
	scope, err := n.wallet.AddScopeManager(lightning, schema)
	if err != nil {
		return err
	}
	if err := n.wallet.InitAccounts(scope, false, allFamilies); err != nil {
		return err
	}
	identity, err := keychain.NewBtcWalletKeyRing(n.wallet, keychain.CoinTypeTestnet).DeriveKey(
		keychain.KeyLocator{Family: keychain.KeyFamilyNodeKey},
	)
	if err != nil {
		return err
	}
	n.public.PubKey = hex.EncodeToString(identity.PubKey.SerializeCompressed())
	return n.deriveAddresses()
}

func (n *node) deriveAddresses() error {
	scope, err := n.wallet.Manager.FetchScopedKeyManager(waddrmgr.KeyScopeBIP0084)
	if err != nil || n.request.Addresses == 0 {
		return err
	}
	return walletdb.Update(n.wallet.Database(), func(tx walletdb.ReadWriteTx) error {
		addresses, err := scope.NextExternalAddresses(
			tx.ReadWriteBucket(manager), waddrmgr.DefaultAccountNum, n.request.Addresses,
		)
		for _, address := range addresses {
			n.public.Addresses = append(n.public.Addresses, address.Address().EncodeAddress())
		}
		return err
	})
}

// seal writes down what the wallet knows of the chain, closes it, and returns every file of the node.
func (n *node) seal(end closing) (*files, error) {
	fail := func(err error) (*files, error) { return nil, fmt.Errorf("node %q: %w", n.request.Name, err) }
	hash, err := chainhash.NewHashFromStr(end.SyncedTo.Hash)
	if err != nil {
		return fail(err)
	}
	stamp := waddrmgr.BlockStamp{Height: end.SyncedTo.Height, Hash: *hash, Timestamp: time.Unix(end.SyncedTo.Time, 0)}
	err = walletdb.Update(n.wallet.Database(), func(tx walletdb.ReadWriteTx) error {
		bucket := tx.ReadWriteBucket(manager)
		if err := n.wallet.Manager.SetSyncedTo(bucket, &stamp); err != nil {
			return err
		}
		if err := n.wallet.Manager.SetBirthday(bucket, stamp.Timestamp.Add(-day)); err != nil {
			return err
		}
		if err := n.wallet.Manager.SetBirthdayBlock(bucket, stamp, true); err != nil {
			return err
		}
		for i, raw := range end.Blocks {
			if err := n.connect(tx, stamp.Height+int32(i)+1, raw); err != nil {
				return fmt.Errorf("block %d after the known one: %w", i+1, err)
			}
		}
		return nil
	})
	if err != nil {
		return fail(err)
	}
	var content bytes.Buffer
	if err := n.wallet.Database().Copy(&content); err != nil {
		return fail(err)
	}
	if err := n.loader.UnloadWallet(); err != nil {
		return fail(err)
	}
	all, err := credentials(n.request)
	if err != nil {
		return fail(err)
	}
	all[path.Join(chainFolder, "wallet.db")] = content.Bytes()
	return &files{Name: n.request.Name, Files: all}, nil
}

// connect does with a block what the wallet does with one it is told of (btcwallet, wallet/chainntfns.go, connectBlock and
// addRelevantTx), for outputs to addresses that were made here.
func (n *node) connect(tx walletdb.ReadWriteTx, height int32, raw string) error {
	var decoded wire.MsgBlock
	if err := decoded.Deserialize(hex.NewDecoder(strings.NewReader(raw))); err != nil {
		return err
	}
	at := wtxmgr.BlockMeta{
		Block: wtxmgr.Block{Hash: decoded.BlockHash(), Height: height}, Time: decoded.Header.Timestamp,
	}
	for _, one := range decoded.Transactions {
		transaction, err := wtxmgr.NewTxRecordFromMsgTx(one, at.Time)
		if err != nil {
			return err
		}
		if err := n.record(tx, transaction, &at); err != nil {
			return err
		}
	}
	stamp := waddrmgr.BlockStamp{Height: height, Hash: at.Hash, Timestamp: at.Time}
	return n.wallet.Manager.SetSyncedTo(tx.ReadWriteBucket(manager), &stamp)
}

// record keeps a transaction that pays to the wallet or spends what another one paid to it.
func (n *node) record(tx walletdb.ReadWriteTx, one *wtxmgr.TxRecord, at *wtxmgr.BlockMeta) error {
	paid := map[uint32]btcutil.Address{}
	for i, output := range one.MsgTx.TxOut {
		if address := n.own(output.PkScript); address != nil {
			paid[uint32(i)] = address
		}
	}
	spends := slices.ContainsFunc(one.MsgTx.TxIn, func(in *wire.TxIn) bool { return n.coins[in.PreviousOutPoint] })
	if len(paid) == 0 && !spends {
		return nil
	}
	addresses, transactions := tx.ReadWriteBucket(manager), tx.ReadWriteBucket(store)
	if err := n.wallet.TxStore.InsertTx(transactions, one, at); err != nil {
		return err
	}
	for i, address := range paid {
		if err := n.wallet.TxStore.AddCredit(transactions, one, at, i, false); err != nil {
			return err
		}
		if err := n.wallet.Manager.MarkUsed(addresses, address); err != nil {
			return err
		}
		n.coins[wire.OutPoint{Hash: one.Hash, Index: i}] = true
	}
	return nil
}

// own returns the address of this wallet that a script pays to, or nil.
func (n *node) own(script []byte) btcutil.Address {
	_, paid, _, err := txscript.ExtractPkScriptAddrs(script, regtest)
	if err != nil || len(paid) != 1 || !slices.Contains(n.public.Addresses, paid[0].EncodeAddress()) {
		return nil
	}
	return paid[0]
}
