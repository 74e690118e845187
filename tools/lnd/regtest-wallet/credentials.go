package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/btcsuite/btcwallet/snacl"
	"github.com/lightningnetwork/lnd/cert"
	"github.com/lightningnetwork/lnd/kvdb"
	"github.com/lightningnetwork/lnd/lnwallet"
	"github.com/lightningnetwork/lnd/macaroons"
	"gopkg.in/macaroon-bakery.v2/bakery"
)

const validity = 3650 * day

// Operations by macaroon file, as lnd bakes them.
var granted = map[string][]bakery.Op{
	"admin.macaroon": operations(map[string][]string{
		"onchain": {"read", "write"}, "offchain": {"read", "write"}, "address": {"read", "write"},
		"message": {"read", "write"}, "peers": {"read", "write"}, "info": {"read", "write"},
		"invoices": {"read", "write"}, "signer": {"read", "generate"}, "macaroon": {"read", "write", "generate"},
	}),
	"readonly.macaroon": operations(map[string][]string{
		"onchain": {"read"}, "offchain": {"read"}, "address": {"read"}, "message": {"read"}, "peers": {"read"},
		"info": {"read"}, "invoices": {"read"}, "signer": {"read"}, "macaroon": {"read"},
	}),
	"invoice.macaroon": operations(map[string][]string{
		"invoices": {"read", "write"}, "address": {"read", "write"}, "onchain": {"read"},
	}),
}

func operations(actions map[string][]string) []bakery.Op {
	var all []bakery.Op
	for entity, verbs := range actions {
		for _, verb := range verbs {
			all = append(all, bakery.Op{Entity: entity, Action: verb})
		}
	}
	return all
}

// writeCredentials writes the macaroon store, the macaroons and the TLS pair under lnd's folder.
func writeCredentials(folder string, request nodeRequest) error {
	rootKey, err := hex.DecodeString(request.MacaroonRootKey)
	if err != nil || len(rootKey) != macaroons.RootKeyLen {
		return fmt.Errorf("the macaroon root key must be %d bytes in hex", macaroons.RootKeyLen)
	}
	if err := writeMacaroons(filepath.Join(folder, chainFolder), rootKey); err != nil {
		return err
	}
	certificate, key, err := cert.GenCertPair("cartridge regtest", request.IPs, request.Hosts, true, validity)
	if err != nil {
		return err
	}
	return cert.WriteCertPair(filepath.Join(folder, "tls.cert"), filepath.Join(folder, "tls.key"), certificate, key)
}

func writeMacaroons(folder string, rootKey []byte) error {
	db, err := kvdb.GetBoltBackend(&kvdb.BoltBackendConfig{
		DBPath: folder, DBFileName: "macaroons.db", NoFreelistSync: true, DBTimeout: time.Minute,
	})
	if err != nil {
		return err
	}
	store, err := macaroons.NewRootKeyStorage(db)
	if err != nil {
		return err
	}
	defer store.Close()
	password := lnwallet.DefaultPrivatePassphrase
	if err := writeCheapKey(db, password); err != nil {
		return err
	}
	if err := store.CreateUnlock(&password); err != nil {
		return err
	}
	if err := store.SetRootKey(rootKey); err != nil {
		return err
	}
	service, err := macaroons.NewService(store, "lnd", false, macaroons.IPLockChecker)
	if err != nil {
		return err
	}
	for name, operations := range granted {
		baked, err := service.NewMacaroon(context.Background(), macaroons.DefaultRootKeyID, operations...)
		if err != nil {
			return err
		}
		raw, err := baked.M().MarshalBinary()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), raw, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// writeCheapKey stores the store's encryption key the way lnd does, derived with cheap parameters.
func writeCheapKey(db kvdb.Backend, password []byte) error {
	key, err := snacl.NewSecretKey(&password, cheap.N, cheap.R, cheap.P)
	if err != nil {
		return err
	}
	return kvdb.Update(db, func(tx kvdb.RwTx) error {
		return tx.ReadWriteBucket([]byte("macrootkeys")).Put([]byte("enckey"), key.Marshal())
	}, func() {})
}

func walk(tree fs.FS, visit func(path string, content []byte)) error {
	return fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(tree, path)
		if err == nil {
			visit(path, content)
		}
		return err
	})
}
