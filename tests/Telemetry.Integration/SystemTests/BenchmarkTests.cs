using System.Diagnostics;
using System.Globalization;

namespace Telemetry.Integration.SystemTests;

/// <summary>They take all of the machine: no other test runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class BenchmarksAlone
{
    public const string Name = "benchmarks alone";
}

/// <summary>
/// Each benchmark in its short form: it runs to its end and prints its figures. What they are says nothing here.
/// </summary>
[Collection(BenchmarksAlone.Name)]
public sealed class BenchmarkTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    [ServersTheory(nats: true, postgres: true)]
    [InlineData("agent", "agent-wire-up", "agent-disk", "agent-memory", "agent-cpu")]
    [InlineData("codec", "codec-size-10-series-10-hz-1-s-regular")]
    [InlineData("end-to-end", "end-to-end", "end-to-end-of-limit", "end-to-end-of-best-limit")]
    [InlineData("ingress", "ingress-100-readings", "ingress-800-readings")]
    [InlineData("line-protocol", "line-protocol-one-field")]
    public async Task Benchmark_prints_its_figures(string name, params string[] figures)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Telemetry.Benchmarks.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, name, "--short"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            var lines = (await process.StandardOutput.ReadToEndAsync(limit.Token)).Split('\n');
            await process.WaitForExitAsync(limit.Token);

            Assert.True(process.ExitCode == 0, await errors);
            Assert.All(figures, figure => Assert.Contains(lines, line => IsOf(line, figure)));
        }
        finally
        {
            process.Kill();
        }
    }

    // figure NAME VALUE UNIT ...
    private static bool IsOf(string line, string figure) =>
        line.Split(' ') is ["figure", var name, var value, ..] && name == figure
        && double.Parse(value, CultureInfo.InvariantCulture) > 0;
}
