using Telemetry.Processing;

namespace Telemetry.Benchmarks.EndToEnd;

/// <summary>
/// How many readings a second go the whole way on this machine: made on 500 gateways, each an agent that commits to its
/// outbox file once a second, sent by MQTT, appended to the log, stored with ledger and register, acknowledged and
/// freed? The offered rate rises until the chain no longer keeps up. The limit is what the database takes of the same
/// readings in transactions of the same size, over as many connections, while nothing else runs, before and after.
/// </summary>
internal static class EndToEndBenchmark
{
    private const int Gateways = 500, FrameReadings = 1_000;

    private const int OfferedFirst = 250_000, OfferedStep = 50_000, StepsMax = 30, ShortStepsMax = 2, ShortPart = 10;

    /// <summary>Kept up: no more than so many seconds' readings are committed at the edge and not yet stored.</summary>
    private const double WaitingSecondsMax = 2;

    /// <summary>And these do not grow: so much of what was accepted was stored in the same time.</summary>
    private const double StoredPartMin = 0.98;

    /// <summary>The readings of one transaction of the chain at full load (processor.batchReadingsMax).</summary>
    private const int ChainTransaction = 30_000;

    /// <summary>Transactions under way at once (processor.workers), in the chain and in the limit.</summary>
    private const int Workers = ProcessorOptions.WorkersDefault;

    private const int LimitRounds = 2;
    private static readonly int[] Transactions = [5_000, 20_000, ChainTransaction, 100_000];

    /// <summary>Starting 500 gateways in a new process keeps the machine busy for six to eight seconds.</summary>
    private const double SettleSeconds = 15;

    /// <summary>As often as PostgreSQL looks for what to vacuum: each step pays its part of that.</summary>
    private const double MeasuredSeconds = 60;

    private const double LimitSeconds = 4;

    private static readonly Dictionary<string, string> PostgresSettings = new()
    {
        ["max_wal_size"] = "4GB",
        ["shared_buffers"] = "256MB",
    };

    public static async Task RunAsync(RunLength run)
    {
        var gateways = run.Gateways(Gateways);
        await using var backend = await Backend.StartAsync(Fleet.Names(gateways), PostgresSettings);
        await using var fleet = new Fleet(backend, gateways);
        await using var limit = await StoreLimit.OpenAsync(
            backend.Postgres!.ConnectionString, "limits", Workers, gateways, FrameReadings,
            run.Seconds(LimitSeconds));
        var limits = Transactions.ToDictionary(size => size, _ => new List<double>());
        await MeasureAsync(limit, limits, "before");
        var rate = await SustainedAsync(run, fleet, backend);
        await backend.CheckpointAsync();
        await MeasureAsync(limit, limits, "after");
        foreach (var (size, rates) in limits)
        {
            Figure.Print($"limit-transactions-of-{size}", Median(rates), "readings/s");
        }

        var (same, best) = (Median(limits[ChainTransaction]), limits.Values.Max(Median));
        Figure.Print("end-to-end", rate, "readings/s", "ledger-register-copy", same);
        Figure.Print("end-to-end-of-limit", rate / same, "");
        Figure.Print("end-to-end", rate, "readings/s", "ledger-register-copy-at-best", best);
        Figure.Print("end-to-end-of-best-limit", rate / best, "");
        Figure.Print("end-to-end", rate, "readings/s", "copy-alone", await limit.MeasureCopyAsync(Transactions[^1]));
    }

    private static async Task MeasureAsync(StoreLimit limit, Dictionary<int, List<double>> limits, string when)
    {
        for (var round = 0; round < LimitRounds; round++)
        {
            foreach (var (size, rates) in limits)
            {
                rates.Add(await limit.MeasureAsync(size));
                Figure.Print($"limit-{when}-transactions-of-{size}", rates[^1], "readings/s");
            }
        }
    }

    private static double Median(List<double> rates)
    {
        var sorted = rates.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    // The highest rate that the chain kept up with. Ends when twice in a row more was offered and no more came through.
    private static async Task<double> SustainedAsync(RunLength run, Fleet fleet, Backend backend)
    {
        var best = 0.0;
        var worse = 0;
        for (var n = 0; worse < 2 && n < (run.IsShort ? ShortStepsMax : StepsMax); n++)
        {
            var offered = OfferedFirst + (n * OfferedStep);
            DiskSpace.Require(backend.At(""));
            await fleet.StartAsync(run.IsShort ? offered / ShortPart : offered);
            await Task.Delay(run.Seconds(SettleSeconds));
            var from = await fleet.LookAsync();
            await Task.Delay(run.Seconds(MeasuredSeconds));
            var to = await fleet.LookWhenMoreIsStoredAsync(from);
            await fleet.StopAsync();
            await backend.CheckAndRemoveStoredAsync();
            var step = new Step(offered, from, to);
            step.Print();
            if ((run.IsShort || step.KeptUp) && step.Rate > best)
            {
                (best, worse) = (step.Rate, 0);
            }
            else
            {
                worse++;
            }
        }

        return best;
    }

    /// <summary>What was seen at one offered rate.</summary>
    private sealed record Step(int Offered, ChainState From, ChainState To)
    {
        private double Seconds => (To.At - From.At).TotalSeconds;

        private double Accepted => (To.Accepted - From.Accepted) / Seconds;

        private double Stored => (To.Stored - From.Stored) / Seconds;

        /// <summary>What was stored, and not more than what came.</summary>
        public double Rate => Math.Min(Accepted, Stored);

        /// <summary>Readings of one transaction.</summary>
        private int Transaction => (int)((To.Stored - From.Stored) / Math.Max(1, To.Commits - From.Commits));

        /// <summary>How many seconds' readings are committed at the edge and not stored.</summary>
        private double WaitingSeconds => (To.Accepted - To.Stored) / Accepted;

        public bool KeptUp => WaitingSeconds <= WaitingSecondsMax && Stored >= StoredPartMin * Accepted;

        public void Print()
        {
            Figure.Print($"offered-{Offered}-accepted", Accepted, "readings/s");
            Figure.Print($"offered-{Offered}-stored", Stored, "readings/s");
            Figure.Print($"offered-{Offered}-waiting", WaitingSeconds, "s");
            Figure.Print($"offered-{Offered}-transaction", Transaction, "readings");
            PrintCpu("gateways", To.Fleet - From.Fleet);
            PrintCpu("cloud", To.Cloud - From.Cloud);
            PrintCpu("nats", To.Nats - From.Nats);
            PrintCpu("postgres", To.Postgres - From.Postgres);
        }

        private void PrintCpu(string who, TimeSpan cpu) =>
            Figure.Print($"offered-{Offered}-cpu-{who}", cpu.TotalMicroseconds / Seconds / Stored, "us/reading");
    }
}
