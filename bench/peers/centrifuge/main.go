// A server on the Centrifuge library as its users would write it: one namespace of channels, publishing by clients, history and
// recovery on; in memory, or on Redis where its address is given.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/centrifugal/centrifuge"
)

const (
	historySize = 1000
	historyTTL  = 5 * time.Minute
)

func main() {
	address, redis := os.Args[1], os.Args[2]
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelError, LogHandler: logEntry})
	check(err)
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "bench"}}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) { serve(client) })
	if redis != "" {
		useRedis(node, redis)
	}
	check(node.Run())
	listener, err := net.Listen("tcp", address)
	check(err)
	http.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{}))
	fmt.Println("listening")
	check(http.Serve(listener, nil))
}

func serve(client *centrifuge.Client) {
	client.OnSubscribe(func(_ centrifuge.SubscribeEvent, callback centrifuge.SubscribeCallback) {
		options := centrifuge.SubscribeOptions{EnableRecovery: true, EnablePositioning: true}
		callback(centrifuge.SubscribeReply{Options: options}, nil)
	})
	client.OnPublish(func(_ centrifuge.PublishEvent, callback centrifuge.PublishCallback) {
		callback(centrifuge.PublishReply{Options: centrifuge.PublishOptions{HistorySize: historySize, HistoryTTL: historyTTL}}, nil)
	})
}

func useRedis(node *centrifuge.Node, address string) {
	shard, err := centrifuge.NewRedisShard(node, centrifuge.RedisShardConfig{Address: address})
	check(err)
	broker, err := centrifuge.NewRedisBroker(node, centrifuge.RedisBrokerConfig{Shards: []*centrifuge.RedisShard{shard}})
	check(err)
	node.SetBroker(broker)
}

func logEntry(entry centrifuge.LogEntry) { log.Println(entry.Message, entry.Fields) }

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
