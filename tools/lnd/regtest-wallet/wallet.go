package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"time"

	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcwallet/snacl"
	"github.com/btcsuite/btcwallet/waddrmgr"
	"github.com/btcsuite/btcwallet/wallet"
	"github.com/btcsuite/btcwallet/walletdb"
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
	manager   = []byte("waddrmgr")
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
	made := &node{public: public{Name: request.Name}, request: request, loader: loader, wallet: opened}
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

// seal writes down how much of the chain the wallet knows, closes it, and returns every file of the node.
func (n *node) seal(known block) (*files, error) {
	fail := func(err error) (*files, error) { return nil, fmt.Errorf("node %q: %w", n.request.Name, err) }
	hash, err := chainhash.NewHashFromStr(known.Hash)
	if err != nil {
		return fail(err)
	}
	stamp := waddrmgr.BlockStamp{Height: known.Height, Hash: *hash, Timestamp: time.Unix(known.Time, 0)}
	err = walletdb.Update(n.wallet.Database(), func(tx walletdb.ReadWriteTx) error {
		bucket := tx.ReadWriteBucket(manager)
		if err := n.wallet.Manager.SetSyncedTo(bucket, &stamp); err != nil {
			return err
		}
		if err := n.wallet.Manager.SetBirthday(bucket, stamp.Timestamp.Add(-day)); err != nil {
			return err
		}
		return n.wallet.Manager.SetBirthdayBlock(bucket, stamp, true)
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
