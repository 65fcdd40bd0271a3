using System.Globalization;
using System.Runtime.InteropServices;
using Telemetry.Rehearsal;
using Telemetry.Rehearsal.Scenarios;

// Rehearses the whole system as processes on this machine and judges its books:
//   Telemetry.Rehearsal demo [--keep] [--spoil delete|double|flip]
//   Telemetry.Rehearsal kill [readings] [--short] [--only SCENARIO]
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
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
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
            var spoil = After(options, "--spoil");
            return spoil is null || Spoiler.Ways.Contains(spoil)
                ? await new Demo(Console.Out, terminal).RunAsync(spoil, options.Contains("--keep"), stop.Token)
                : Usage();
        case "kill":
            var test = options.Contains("--short") ? KillTestOptions.Short : new KillTestOptions();
            if (options.Count > 0 && long.TryParse(options[0], NumberStyles.None, CultureInfo.InvariantCulture, out var readings))
            {
                test = test with { Readings = readings };
            }

            test = After(options, "--only") is { } only ? test with { Only = [only], Rounds = 0, Readings = 0 } : test;
            return await new KillTest(test, Console.Out, terminal).RunAsync(stop.Token);
        default:
            return Usage();
    }
}

static string? After(List<string> options, string name) =>
    options.IndexOf(name) is >= 0 and var at ? options.ElementAtOrDefault(at + 1) ?? "" : null;

static int Usage()
{
    Console.Error.WriteLine("usage: Telemetry.Rehearsal demo [--keep] [--spoil delete|double|flip] | kill [readings] [--short] [--only SCENARIO]");
    return misused;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
