using System.Globalization;
using System.Runtime.InteropServices;
using Telemetry.SystemTests;
using Telemetry.SystemTests.Relay;
using Telemetry.SystemTests.Scenarios;

// Runs the whole system as processes on this machine and judges its books:
//   Telemetry.SystemTests demo [--keep] [--corrupt delete|double|flip]
//   Telemetry.SystemTests kill [readings] [--short] [--only SCENARIO]
//   Telemetry.SystemTests kill [--short] --only alerts
// Exit code 0: the books balance. 1: they do not, or something never came. 2: a wrong command line.

const int wrong = 1;
const int misused = 2;
using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
var terminal = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");
try
{
    return await RunAsync();
}
catch (Exception) when (stop.IsCancellationRequested)
{
    // Whatever was under way ends in its own way when its server goes.
    Console.Error.WriteLine("stopped; nothing is left behind");
    return wrong;
}
catch (Exception e)
{
    Console.Error.WriteLine(e);
    return wrong;
}

async Task<int> RunAsync()
{
    var options = args.Skip(1).ToList();
    switch (args.FirstOrDefault())
    {
        case "demo":
            var corruption = TakeAfter(options, "--corrupt");
            var keep = options.Remove("--keep");
            return options.Count == 0 && (corruption is null || DatabaseCorruption.Ways.Contains(corruption))
                ? await new Demo(Console.Out, terminal).RunAsync(corruption, keep, stop.Token)
                : Usage();
        case "kill":
            var isShort = options.Remove("--short");
            if (options is ["--only", "alerts"])
            {
                return await KillRelaysAsync(isShort ? RelayKillOptions.Short : new RelayKillOptions());
            }

            var test = isShort ? KillTestOptions.Short : new KillTestOptions();
            if (options.Count > 0
                && long.TryParse(options[0], NumberStyles.None, CultureInfo.InvariantCulture, out var readings))
            {
                test = test with { Readings = readings };
                options.RemoveAt(0);
            }

            test = TakeAfter(options, "--only") is { } only
                ? test with { Only = [only], Rounds = 0, Readings = 0 } : test;
            if (options.Count > 0)
            {
                return Usage();
            }

            return await new KillTest(test, Console.Out, terminal).RunAsync(stop.Token);
        default:
            return Usage();
    }
}

async Task<int> KillRelaysAsync(RelayKillOptions options)
{
    await using var cluster = await RelayCluster.StartAsync();
    var problems = await new RelayKillTest(options, Console.Out).RunAsync(cluster, stop.Token);
    Console.WriteLine(
        problems.Count == 0 ? "VERDICT: each alert left once" : $"VERDICT: WRONG: {string.Join("; ", problems)}");
    return problems.Count == 0 ? 0 : wrong;
}

static string? TakeAfter(List<string> options, string name)
{
    var at = options.IndexOf(name);
    if (at < 0)
    {
        return null;
    }

    var value = options.ElementAtOrDefault(at + 1) ?? "";
    options.RemoveRange(at, Math.Min(2, options.Count - at));
    return value;
}

static int Usage()
{
    Console.Error.WriteLine(
        "usage: Telemetry.SystemTests demo [--keep] [--corrupt delete|double|flip] | kill [readings] [--short] [--only "
        + "SCENARIO]");
    return misused;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
