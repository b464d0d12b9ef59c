# SPDX-License-Identifier: MIT; Debian's source of lua5.4, built as its rules build it: libtool, C and C++, shared and static.
# All compile at once, then what links: two targets of its Makefile run the same lines, which -j would mix.
cp -r /made/lua5.4 lua; cd lua
printf '#ifndef _LUA_DEB_MULTIARCH_\n#define _LUA_DEB_MULTIARCH_\n#define DEB_HOST_MULTIARCH "x86_64-linux-gnu"\n#endif\n' > src/lua5.4-deb-multiarch.h
flags=(LIBTOOL=libtool MYCFLAGS=-O1 MYCXXFLAGS=-O1 MYLDFLAGS= DEB_HOST_MULTIARCH=x86_64-linux-gnu V=5.4)
make -j4 -C src o SYSCFLAGS=-DLUA_USE_LINUX "${flags[@]}" > log 2>&1; echo $?; make linux "${flags[@]}" >> log 2>&1; echo $?
grep -c 'libtool: compile:' log; grep -E 'warning|error|\*\*\*' log; make --no-print-directory test LIBTOOL=libtool; echo $?; make -q -C src all "${flags[@]}"; echo $?
cd src; ls | wc -l; sha256sum $(find . -name '*.o' -o -name '*.so.*' -type f | sort) lua5.4 luac5.4
./lua5.4 - <<'L'
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
local t = {} for i = 1, 10000 do t[i] = (i * 7919) % 10007 end table.sort(t)
print(_VERSION, fib(20), t[1], t[#t], string.format("%q", "a\0b"), math.maxinteger, 10 // 3, 2^0.5)
print(select(2, pcall(function() local x = nil; return x.y end)))
local co = coroutine.wrap(function(a) for i = 1, 3 do a = coroutine.yield(a * i) end return "end" end)
print(co(1), co(2), co(3), co(4)); collectgarbage(); print(require("string") == string, package.cpath)
L
./luac5.4 -l -p - <<< 'for i = 1, 10 do print(i * 2) end' | sed 's/0x[0-9a-f]*/ADDRESS/g'; echo 'print("bytes", ...)' | ./luac5.4 -o b - && ./lua5.4 b one two
cat > embed.c <<'C'
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
static int twice(lua_State *l) { lua_pushinteger(l, 2 * luaL_checkinteger(l, 1)); return 1; }
int main(void)
{
	lua_State *l = luaL_newstate();
	luaL_openlibs(l);
	lua_register(l, "twice", twice);
	return luaL_dostring(l, "print(twice(21)); io.stdout:flush()") || (luaL_dostring(l, "twice({})") && !puts(lua_tostring(l, -1)));
}
C
libtool --mode=link gcc -I. -o embed embed.c liblua5.4.la > /dev/null 2>&1; ./embed; echo $?; ldd .libs/embed | sed 's/ (.*//;s,=> .*/,=> ,' | sort
