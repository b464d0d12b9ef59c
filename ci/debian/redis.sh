# SPDX-License-Identifier: MIT; redis-server over a UNIX socket.
redis-server --port 0 --unixsocket $PWD/redis.sock --save '' --appendonly yes --dir $PWD --daemonize no --logfile log &
for i in $(seq 3000); do redis-cli -s redis.sock ping 2>/dev/null && break; sleep 0.1; done
cli="redis-cli -s redis.sock"
$cli set a 1; $cli incr a; $cli rpush l x y z; $cli lrange l 0 -1; $cli hset h f v g w; $cli hgetall h; $cli zadd z 2 two 1 one; $cli zrange z 0 -1 withscores; $cli eval 'return {redis.call("expire", KEYS[1], 100), redis.call("ttl", KEYS[1])}' 1 a; $cli eval 'return redis.call("get", KEYS[1])' 1 a; $cli bgsave; until [ -e dump.rdb ]; do sleep 0.1; done; $cli nothing; seq 1000 | sed 's/.*/set k& &/' | $cli | sort | uniq -c; $cli dbsize; $cli --pipe <<< 'set p q' | tail -n 1
redis-benchmark -s redis.sock -q -n 2000 -c 20 -P 4 -t set,get,lpush,ping 2>&1 | tr '\r' '\n' | sed -n 's/: [0-9.]* requests per second.*//p' | sort -u
$cli shutdown; wait $!; echo $?; ls dump.rdb appendonlydir | head -n 5; grep -c 'bye bye' log
