package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path"
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

// credentials makes the macaroon store, the macaroons and the TLS pair: path in lnd's folder to content.
func credentials(request nodeRequest) (map[string][]byte, error) {
	rootKey, err := hex.DecodeString(request.MacaroonRootKey)
	if err != nil || len(rootKey) != macaroons.RootKeyLen {
		return nil, fmt.Errorf("the macaroon root key must be %d bytes in hex", macaroons.RootKeyLen)
	}
	made, err := bake(rootKey)
	if err != nil {
		return nil, err
	}
	certificate, key, err := cert.GenCertPair("cartridge regtest", request.IPs, request.Hosts, true, validity)
	if err != nil {
		return nil, err
	}
	made["tls.cert"], made["tls.key"] = certificate, key
	return made, nil
}

func bake(rootKey []byte) (map[string][]byte, error) {
	db, err := openMacaroonDB()
	if err != nil {
		return nil, err
	}
	store, err := macaroons.NewRootKeyStorage(db)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	password := lnwallet.DefaultPrivatePassphrase
	if err := writeCheapKey(db, password); err != nil {
		return nil, err
	}
	if err := store.CreateUnlock(&password); err != nil {
		return nil, err
	}
	if err := store.SetRootKey(rootKey); err != nil {
		return nil, err
	}
	service, err := macaroons.NewService(store, "lnd", false, macaroons.IPLockChecker)
	if err != nil {
		return nil, err
	}
	made := map[string][]byte{}
	for name, operations := range granted {
		baked, err := service.NewMacaroon(context.Background(), macaroons.DefaultRootKeyID, operations...)
		if err != nil {
			return nil, err
		}
		if made[path.Join(chainFolder, name)], err = baked.M().MarshalBinary(); err != nil {
			return nil, err
		}
	}
	var content bytes.Buffer
	if err := db.Copy(&content); err != nil {
		return nil, err
	}
	made[path.Join(chainFolder, "macaroons.db")] = content.Bytes()
	return made, nil
}

// openMacaroonDB returns an empty database whose file has no name any more.
func openMacaroonDB() (kvdb.Backend, error) {
	folder, err := temporaryFolder()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	return kvdb.GetBoltBackend(&kvdb.BoltBackendConfig{
		DBPath: folder, DBFileName: "macaroons.db", NoFreelistSync: true, DBTimeout: time.Minute,
	})
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
