using Telemetry.Edge.Outbox;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Simulation.Faults;
using Telemetry.TestKit.Time;

namespace Telemetry.Simulation.Worlds;

/// <summary>
/// A source of readings at one gateway: batches of random values, some late, some critical, now and then of a new
/// series. It writes its journal before it offers and after it was acknowledged, and outlives the agent's process.
/// </summary>
internal sealed class Generator(
    GatewayId gateway, Random random, SimulatedClock time, Journal journal, FaultChances faults, FaultProfile mix)
{
    private const int SeriesAtStart = 3;
    private const int SeriesMax = 9;
    private const int BatchMax = 12;
    private const int OffersMax = 3;
    private const long LateMicros = 4_000_001;

    private readonly ReadingBatch _batch = new();
    private int _series = SeriesAtStart;
    private readonly KeyedRequests _keyed = new(gateway, random, journal, faults, mix);

    public Journal Journal => journal;

    /// <summary>False once no further reading comes.</summary>
    public bool Goes { get; set; } = true;

    /// <summary>All series that it may ever use.</summary>
    public IEnumerable<SeriesIdentity> Series => Enumerable.Range(0, SeriesMax)
        .SelectMany(i => (SeriesDefinition[])[Define(i), KeyedRequests.Series(i)])
        .Select(series => SeriesIdentity.Of(gateway, series));

    private TimeSpan Now => time.Elapsed;

    /// <summary>Offers until cancelled; runs in the life of an agent. An error of the outbox ends it.</summary>
    public async Task RunAsync(ReadingOutbox outbox, TimeProvider life, CancellationToken cancellationToken)
    {
        var offers = new List<Task>();
        if (mix.Has(Fault.RequestAnswerLost))
        {
            offers.Add(_keyed.RunAsync(outbox, life, () => Goes, () => Now, cancellationToken));
        }

        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(20, 1500)), life, cancellationToken);
            if (!Goes)
            {
                continue;
            }

            offers.Add(OfferAsync(outbox, life, cancellationToken));
            if (offers.Count >= OffersMax)
            {
                offers.Remove(await Task.WhenAny(offers));
            }

            if (offers.Find(o => o.IsFaulted) is { } failed)
            {
                await failed;
            }
        }
    }

    private async Task OfferAsync(ReadingOutbox outbox, TimeProvider life, CancellationToken cancellationToken)
    {
        var hashes = Fill(outbox, life);
        TimeSpan? deadline = random.Next(3) == 0 ? TimeSpan.FromMilliseconds(random.Next(1000)) : null;
        var outcome = await outbox.OfferAsync(_batch, deadline, random.Next(12) == 0, cancellationToken);
        if (outcome.IsAccepted)
        {
            Journal.Acknowledge(hashes, Now);
        }
    }

    private ulong[] Fill(ReadingOutbox outbox, TimeProvider life)
    {
        if (_series < SeriesMax && random.Next(30) == 0)
        {
            _series++;
        }

        _batch.Clear();
        var hashes = new ulong[random.Next(1, BatchMax + 1)];
        for (var i = 0; i < hashes.Length; i++)
        {
            var series = Define(random.Next(_series));
            Add(outbox.SeriesIndex(series), series.Type, EventTime(life));
            hashes[i] = ReadingHash.OfRow(_batch, i, SeriesIdentity.Of(gateway, series), series.Type);
            Journal.Attempt(hashes[i], Now);
            if (RefusedReadingLedger.Has(mix, _batch.Times[i]))
            {
                Journal.Refused.Add(hashes[i]);
            }
        }

        return hashes;
    }

    private void Add(int index, MetricType type, long at)
    {
        var flags = (ReadingFlags)random.Next(3) | (random.Next(10) == 0 ? ReadingFlags.Null : 0);
        if (type == MetricType.Text && (flags & ReadingFlags.Null) == 0)
        {
            Span<byte> text = stackalloc byte[random.Next(12)];
            random.GetItems("abcdefgh"u8, text);
            _batch.AddText(index, at, text, flags);
        }
        else
        {
            _batch.Add(index, at, type == MetricType.Bool ? (ulong)random.Next(2) : (ulong)random.NextInt64(), flags);
        }
    }

    // Even for those in time, odd for late ones: no two readings have one time.
    private long EventTime(TimeProvider life)
    {
        var now = (life.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        return journal.FreeTime((now & ~1L) - (random.Next(15) == 0 ? LateMicros : 0));
    }

    private static SeriesDefinition Define(int index) => new()
    {
        Device = $"device-{index % 2}",
        Metric = $"metric-{index}",
        Type = (MetricType)(index % 5),
    };
}
