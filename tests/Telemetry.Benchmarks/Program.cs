using Telemetry.Benchmarks;
using Telemetry.Benchmarks.EndToEnd;

// ./bench.sh NAME: one question a benchmark. Each prints lines of the form
//   figure NAME VALUE UNIT
//   figure NAME VALUE UNIT limit NAME VALUE
// where the limit is what the machine can do at best, measured in the same run.

var benchmarks = new Dictionary<string, Func<Task>>
{
    ["agent"] = AgentBenchmark.RunAsync,
    ["codec"] = CodecBenchmark.RunAsync,
    ["end-to-end"] = EndToEndBenchmark.RunAsync,
    ["ingress"] = IngressBenchmark.RunAsync,
    ["line-protocol"] = LineProtocolBenchmark.RunAsync,
};

if (args is not [var name] || !benchmarks.TryGetValue(name, out var run))
{
    Console.Error.WriteLine($"usage: ./bench.sh {string.Join('|', benchmarks.Keys)}");
    return 2;
}

await run();
return 0;
