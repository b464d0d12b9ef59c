# SPDX-License-Identifier: MIT; make of twenty files; C++; gdb on what was built here.
mkdir parts
for i in $(seq 20); do
	printf '#include "parts.h"\n/* part %d */\nlong part_%d(long x)\n{\n\tlong sum = 0;\n\n\tfor (long i = 0; i <= x; i++)\n\t\tsum += i * %d;\n\treturn sum;\n}\n' $i $i $i > parts/part_$i.c
done
{ for i in $(seq 20); do echo "long part_$i(long);"; done; } > parts/parts.h
{ printf '#include <stdio.h>\n#include "parts.h"\nint main(void)\n{\n\tlong total = 0;\n\n'; for i in $(seq 20); do echo "	total += part_$i($i);"; done; printf '\tprintf("%%ld\\n", total);\n\treturn total %% 100;\n}\n'; } > parts/main.c
cat > Makefile <<'M'
CFLAGS := -O2 -g -Wall -MMD -MP
objects := $(patsubst parts/%.c,out/%.o,$(wildcard parts/*.c))
program: $(objects)
	$(CC) -o $@ $^
out/%.o: parts/%.c | out
	$(CC) $(CFLAGS) -c -o $@ $<
out:
	mkdir $@
-include $(objects:.o=.d)
M
make -j2 > log; echo $?; grep -c -e ' -c -o ' log; ./program; echo $?; make; touch parts/part_7.c; make | sort; touch parts/parts.h; make -j2 | wc -l; echo 'broken(' >> parts/part_3.c; make -k -j2 2>&1 | grep -c error; sed -i '$d' parts/part_3.c; make -s; ./program; sha256sum $(ls -v out/*.o) program | sha256sum
gdb -nx --batch -ex 'break part_20' -ex run -ex 'backtrace' -ex 'info args' -ex finish -ex 'info breakpoints' -ex 'list part_7' -ex 'ptype part_1' -ex 'print part_3(4)' -ex continue ./program 2>&1 | sed 's/0x[0-9a-f]*/ADDRESS/g;s/process [0-9]*/process PID/;/debuginfod/d;/libthread_db/d;/UTF-32/,+1d'
cat > t.cc <<'C'
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
struct Guard { std::string name; ~Guard() { std::cout << "end of " << name << "\n"; } };
static void deep(int n) { Guard guard{"frame " + std::to_string(n)}; if (n == 0) throw std::runtime_error("as told"); deep(n - 1); }
static thread_local int mine = 5;
int main()
{
	try { deep(2); } catch (const std::exception &error) { std::cout << error.what() << "\n"; }
	std::vector<std::thread> threads; std::mutex lock; std::map<int, int> squares; std::atomic<int> count{0};
	for (int i = 0; i < 8; i++)
		threads.emplace_back([&, i] { mine += i; for (int n = 0; n < 1000; n++) count++; std::lock_guard<std::mutex> held(lock); squares[i] = mine * mine; });
	for (auto &thread : threads) thread.join();
	for (auto [i, square] : squares) std::cout << i << ":" << square << " ";
	auto failing = std::async(std::launch::async, []() -> int { throw std::out_of_range("in a thread"); });
	std::cout << count << " " << mine << "\n";
	try { failing.get(); } catch (const std::out_of_range &error) { std::cout << error.what() << "\n"; }
	std::condition_variable ready; bool done = false;
	std::thread waker([&] { std::lock_guard<std::mutex> held(lock); done = true; ready.notify_all(); });
	{ std::unique_lock<std::mutex> held(lock); ready.wait(held, [&] { return done; }); std::cout << ready.wait_for(held, std::chrono::milliseconds(20), [] { return false; }) << "\n"; }
	waker.join();
	std::filesystem::create_directories("d/e"); std::ofstream("d/e/f") << "text " << 1.5 << "\n";
	for (auto &entry : std::filesystem::recursive_directory_iterator("d")) std::cout << entry.path() << " " << entry.is_directory() << "\n";
	std::ifstream in("d/e/f"); std::string word; double number; in >> word >> number; std::cout << word << number << std::filesystem::remove_all("d") << "\n";
	try { (void)std::filesystem::file_size("none"); } catch (const std::filesystem::filesystem_error &error) { std::cout << error.what() << "\n"; }
	std::vector<int> list(1000); std::iota(list.begin(), list.end(), 0); std::reverse(list.begin(), list.end()); std::sort(list.begin(), list.end());
	std::cout << std::accumulate(list.begin(), list.end(), 0) << " " << std::make_unique<Guard>(Guard{"pointer"})->name << std::endl;
	throw 5;
}
C
g++ -std=c++17 -O1 -pthread -o t t.cc && ./t; echo $?; g++ -std=c++17 -O0 -static -pthread -o s -x c++ - <<< '#include <iostream>
int main() { try { throw 3; } catch (int n) { std::cout << "static " << n << std::endl; } }' && ./s; echo $?
