package main

import (
	"mindflow/cmd/mindflow/internal/doctor"
	"mindflow/cmd/mindflow/internal/media"
	"mindflow/cmd/mindflow/internal/modelcmd"
	"mindflow/cmd/mindflow/internal/serve"
	"mindflow/cmd/mindflow/internal/settings"
)

// command is one command. A command without a brief is for this program's own children, and is not listed.
type command struct {
	name, brief string
	declare     func() settings.Command
	parts       []command // instead of declare
}

var commands = []command{
	{name: "serve", brief: "serve the page and read the cameras of those who open it (the default)",
		declare: func() settings.Command { return serve.Serve(release) }},
	{name: "image", brief: "label the faces in picture files", declare: media.Image},
	{name: "video", brief: "label the faces in video files over time", declare: media.Video},
	{name: "camera", brief: "label the faces before this machine's camera, here or on a server", declare: media.Camera},
	{name: "loadtest", brief: "publish a clip to a server over many sessions, and measure what comes back",
		declare: media.LoadTest},
	{name: "eval", brief: "say how well a model does on pictures whose expressions are known", declare: modelcmd.Eval},
	{name: "bench", brief: "measure how many faces a second a device classifies", declare: modelcmd.Bench},
	{name: "model", brief: "list, bring, check and import models", parts: []command{
		{name: "list", brief: "show the models, their state and the licence of their weights", declare: modelcmd.List},
		{name: "info", brief: "tell all about one model", declare: modelcmd.Info},
		{name: "pull", brief: "bring a model that is missing", declare: modelcmd.Pull},
		{name: "verify", brief: "check the sums of the models that are there", declare: modelcmd.Verify},
		{name: "remove", brief: "take a model out of your folder", declare: modelcmd.Remove},
		{name: "import", brief: "make a PyTorch checkpoint of DAN a model that runs here", declare: modelcmd.Import},
	}},
	{name: "token", brief: "make tokens and keys, which say who may use a server", parts: []command{
		{name: "shared", brief: "make a token that all who may use a server share (serve --token-file)",
			declare: serve.TokenShared},
		{name: "key", brief: "make a key that signs tokens", declare: serve.TokenKey},
		{name: "public", brief: "print the public part of a key, for the server (serve --jwt-keys)",
			declare: serve.TokenPublic},
		{name: "sign", brief: "make a token for one visitor or program", declare: serve.TokenSign},
	}},
	{name: "ready", brief: "ask a server whether it takes newcomers", declare: serve.Ready},
	{name: "doctor", brief: "check this machine, and say what to do where something is wrong", declare: doctor.Doctor},
	{name: "version", brief: "print the version", declare: version},
	{name: settings.ProbeCommand, declare: doctor.ProbeDevice},
}
