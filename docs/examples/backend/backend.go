// Backend is a website's backend that gives its visitors tokens for a Mindflow server.
// Beside it are signing-key.json, which `mindflow token key` makes, and token.html, the page that it serves at
// http://localhost:3000.
package main

import (
	"cmp"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func main() {
	id, key, err := readKey("signing-key.json")
	if err != nil {
		log.Fatal("read signing-key.json: ", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "token.html") })
	mux.HandleFunc("POST /my-mindflow-token", func(w http.ResponseWriter, _ *http.Request) {
		visitor := "ada" // from your own login; answer others with 403
		token, err := mint(id, key, visitor)
		if err != nil {
			http.Error(w, "no token could be signed", http.StatusInternalServerError)
			log.Print("sign a token: ", err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(w, token) // the visitor may have left
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "3000"), mux))
}

// mint signs a token for ten minutes and one session at a time.
func mint(id string, key ed25519.PrivateKey, visitor string) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"aud": "faces.example", "sub": visitor, "exp": time.Now().Add(10 * time.Minute).Unix(),
		"origins": []string{"https://shop.example"}, "max_sessions": 1,
	})
	token.Header["kid"] = id
	return token.SignedString(key)
}

// readKey reads the first key of a JSON Web Key Set (RFC 8037).
func readKey(name string) (id string, key ed25519.PrivateKey, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return "", nil, err
	}
	var set struct{ Keys []struct{ Kid, D string } }
	if err := json.Unmarshal(text, &set); err != nil {
		return "", nil, err
	}
	if len(set.Keys) == 0 {
		return "", nil, errors.New("it holds no key")
	}
	seed, err := base64.RawURLEncoding.DecodeString(set.Keys[0].D)
	if err != nil {
		return "", nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return "", nil, errors.New("its first key is no private Ed25519 key")
	}
	return set.Keys[0].Kid, ed25519.NewKeyFromSeed(seed), nil
}
