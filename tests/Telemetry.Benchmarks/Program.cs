using Telemetry.Benchmarks;
using Telemetry.Benchmarks.Drain;
using Telemetry.Benchmarks.EndToEnd;
using Telemetry.Benchmarks.Layout;

// eng/bench.sh NAME: one question a benchmark. Each prints lines of the form
//   figure NAME VALUE UNIT
//   figure NAME VALUE UNIT limit NAME VALUE
// where the limit is what the machine can do at best, measured in the same run.

var benchmarks = new Dictionary<string, Func<RunLength, Task>>
{
    ["agent"] = AgentBenchmark.RunAsync,
    ["codec"] = CodecBenchmark.RunAsync,
    ["copy-columns"] = CopyColumnsBenchmark.RunAsync,
    ["drain"] = DrainBenchmark.RunAsync,
    ["end-to-end"] = EndToEndBenchmark.RunAsync,
    ["ingress"] = IngressBenchmark.RunAsync,
    ["layout"] = LayoutBenchmark.RunAsync,
    ["line-protocol"] = LineProtocolBenchmark.RunAsync,
    ["sessions"] = SessionsBenchmark.RunAsync,
    ["windows"] = WindowsBenchmark.RunAsync,
};

if (args is not ([_] or [_, "--short"]) || !benchmarks.TryGetValue(args[0], out var run))
{
    Console.Error.WriteLine($"usage: eng/bench.sh {string.Join('|', benchmarks.Keys)} [--short]");
    return 2;
}

await run(new RunLength(IsShort: args.Length > 1));
return 0;
