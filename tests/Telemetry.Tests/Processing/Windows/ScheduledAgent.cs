using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Storage;
using Telemetry.TestKit.Windows;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing.Windows;

/// <summary>
/// A gateway that seals frames of random readings in three lanes, and sends them in the order in which it is told. It
/// keeps all of them.
/// </summary>
internal sealed class ScheduledAgent
{
    private static readonly SchemaMessage Schema = SchemaMessage.Of(default,
    [
        new SeriesDefinition { Device = "pump", Metric = "temperature", Decimals = 2 },
        new SeriesDefinition { Device = "pump", Metric = "starts", Type = MetricType.Int },
        new SeriesDefinition
        {
            Device = "pump", Metric = "total", Type = MetricType.UInt, ExtraLatenessMicros = 7_000_000,
        },
        new SeriesDefinition { Device = "door", Metric = "open", Type = MetricType.Bool },
        new SeriesDefinition { Device = "door", Metric = "state", Type = MetricType.Text },
        new SeriesDefinition { Device = "door", Metric = "force" },
    ]);

    private readonly GatewayId _gateway;
    private readonly WindowStand _stand;
    private readonly Random _random;
    private readonly SeriesList _series;
    private readonly RandomWindow _values;
    private readonly List<(EpochLasts Lasts, Predecessor Predecessor)> _ended = [];
    private readonly List<SealedFrame> _sealed = [];
    private EpochLasts _epoch;
    private Predecessor _predecessor = new(0, default);
    private long _accepted;
    private int _hellos;

    public ScheduledAgent(GatewayId gateway, WindowStand stand, Random random)
    {
        (_gateway, _stand, _random) = (gateway, stand, random);
        _series = SeriesList.Empty(gateway).Extend(Schema);
        _values = new RandomWindow(random);
        _epoch = new EpochLasts((ulong)random.NextInt64(), default);
        Series = _series.Entries.ToArray();
    }

    /// <summary>Its series, without the numbers that the database gives.</summary>
    public IReadOnlyList<SeriesEntry> Series { get; }

    /// <summary>Frames that were sealed and not sent yet.</summary>
    public List<SealedFrame> Waiting { get; } = [];

    /// <summary>Frames that it does not have any more.</summary>
    public List<SealedFrame> Lost { get; } = [];

    private long Now => _stand.NowMicros;

    public async Task SendSchemaAsync()
    {
        foreach (var lane in (Lane[])[Lane.Live, Lane.Backlog])
        {
            await _stand.SendAsync(_gateway, lane, Samples.Bytes(w => Schema.Write(w, lane)));
        }
    }

    /// <summary>Seals readings of about this time and length of time; they wait.</summary>
    public void Seal(Lane lane, TimeSpan ago, TimeSpan length)
    {
        var rows = new ReadingBuffer();
        var of = Series[_random.Next(Series.Count)];
        for (var left = _random.Next(1, 25); left > 0; left--)
        {
            of = _random.Next(4) == 0 ? Series[_random.Next(Series.Count)] : of;
            _values.Add(rows, of, Now - Micros(ago) - _random.NextInt64(Micros(length)));
        }

        var batch = new ReadingBatch();
        for (var row = 0; row < rows.Count; row++)
        {
            var series = Series.Select((s, i) => (s, i)).First(s => s.s == rows.Series[row]).i;
            if (rows.IsText(row))
            {
                batch.AddText(series, rows.Times[row], rows.Text(rows.Bits[row]), rows.Flags[row]);
            }
            else
            {
                batch.Add(series, rows.Times[row], rows.Bits[row], rows.Flags[row]);
            }
        }

        Seal(lane, batch, _random.Next(6) == 0 ? [new(0, 2, Now - 5, Now, DropReason.Quota)] : []);
    }

    /// <summary>Seals a frame without readings.</summary>
    public void SealTombstone(Lane lane) =>
        Seal(lane, new ReadingBatch(), [new(1, 3, Now - 900, Now, DropReason.Thinned)]);

    /// <summary>Seals an empty promise: everything older than now is in the frames so far.</summary>
    public void SealPromise() => Seal(Lane.Live, new ReadingBatch(), [new(0, 1, Now, Now, DropReason.Quota)]);

    /// <summary>Sends any frame once more.</summary>
    public Task SendAgainAsync() =>
        _sealed.Count == 0 ? Task.CompletedTask : SendAsync(_sealed[_random.Next(_sealed.Count)]);

    public Task SendAsync(SealedFrame frame) => _stand.SendAsync(_gateway, frame.Key.Lane, frame.Bytes);

    /// <summary>Begins a new epoch: the agent was started again.</summary>
    public void Restart()
    {
        if (_epoch.Lasts != default)
        {
            _ended.Add((_epoch, _predecessor));
            _predecessor = new Predecessor(_epoch.Epoch, _epoch.Lasts);
            _epoch = new EpochLasts((ulong)_random.NextInt64(), default);
        }
    }

    /// <summary>Says what it sealed, and that it has all of it but the lost frames.</summary>
    public Task SayAsync() => _stand.SayAsync(_gateway, new Hello
    {
        Id = new HelloId(1, ++_hellos),
        Full = true,
        OwnIsLast = true,
        Outbox = 77,
        Accepted = _accepted,
        ClockMicros = Now,
        ClockSynchronised = true,
        Epochs = [.. Open().Select(e => new HelloEpoch(e.Lasts.Epoch, e.Predecessor, Lanes(e.Lasts)))],
        Schemas = [Schema.Id],
    });

    private IEnumerable<(EpochLasts Lasts, Predecessor Predecessor)> Open()
    {
        var complete = _stand.CompleteEpochs(_gateway);
        return [.. _ended.Where(e => !complete.Contains(e.Lasts)), (_epoch, _predecessor)];
    }

    private HelloLane[] Lanes(EpochLasts epoch) =>
    [
        .. Enum.GetValues<Lane>().Order().Select(lane =>
        {
            var held = new List<SequenceRange>();
            foreach (var frame in _sealed.Except(Lost).Where(f => f.Key.Epoch == epoch.Epoch && f.Key.Lane == lane))
            {
                if (held.Count > 0 && held[^1].Last + 1 == frame.Key.First)
                {
                    held[^1] = new SequenceRange(held[^1].First, frame.Key.Last);
                }
                else
                {
                    held.Add(frame.Key.Range);
                }
            }

            return new HelloLane(epoch.Lasts[lane], epoch.Lasts[lane], [.. held]);
        }),
    ];

    private void Seal(Lane lane, ReadingBatch batch, Declaration[] declarations)
    {
        var order = new int[batch.Count];
        batch.Order(order);
        var dropped = declarations.Sum(d => d.Count);
        var key = new FrameKey(_epoch.Epoch, lane, _epoch.Lasts[lane] + 1, batch.Count + dropped);
        _epoch = _epoch with { Lasts = _epoch.Lasts.With(lane, key.Last) };
        _accepted += key.Count;
        var complete = _stand.CompleteEpochs(_gateway);
        var header = new FrameHeader
        {
            Kind = batch.Count == 0 ? FrameKind.Tombstone : FrameKind.Readings,
            Key = key,
            Dropped = dropped,
            Schema = Schema.Id,
            Predecessor = key.First == 1 ? _predecessor : null,
            Promise = lane == Lane.Live
                ? new Promise(
                    Now, [.. Open().Select(e => e.Lasts).Reverse()],
                    Telemetry.Model.Frames.CompleteEpochs.Digest(complete))
                : null,
        };
        var bytes = Samples.Bytes(w => FrameWriter.Write(w, header, declarations, batch, order, _series.Types));
        var frame = new SealedFrame(key, bytes);
        _sealed.Add(frame);
        Waiting.Add(frame);
    }

    private static long Micros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;
}

/// <summary>A frame as it is sent.</summary>
internal sealed record SealedFrame(FrameKey Key, byte[] Bytes);
