using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Windows;

namespace Telemetry.Integration.Storage;

/// <summary>
/// A gateway's random readings in a random number of commits. Their parts are written with them, or gather for a while,
/// or are removed and folded anew; some overlap in time, some are out of order.
/// </summary>
internal sealed class PartSchedule
{
    private const long Minute = 60_000_000;

    private readonly Random _random;
    private readonly RandomWindow _values;
    private readonly GatewayId _gateway;
    private readonly SchemaLedgerRow _schema;
    private readonly ReadingBuffer _stored = new();
    private readonly Dictionary<(SeriesEntry, WindowSpan), WindowPart> _memory = [];

    public PartSchedule(int seed)
    {
        _random = new Random(seed);
        _values = new RandomWindow(_random);
        _gateway = GatewayId.Parse($"gw-{seed}");
        _schema = StoreSteps.Extend(
            SeriesList.Empty(_gateway),
            [
                .. Enum.GetValues<MetricType>().Select((type, i) => new SeriesDefinition
                {
                    Device = "pump", Metric = i % 2 == 0 ? $"t{type}" : $"{type}", Type = type, Decimals = 2,
                }),
                new SeriesDefinition { Device = "pump", Metric = "force" },
            ]);
    }

    /// <summary>The widths, as the database's table has to have them.</summary>
    public static WindowWidths Widths { get; } =
        new([new WindowWidth(new NamePattern("t*"), 10, 0, HasQuantiles: true)]);

    /// <summary>Commits all of it, and a watermark beyond it. Returns the partition's row.</summary>
    public async Task<PartitionRow> RunAsync(IStore store, PartitionRow row, long watermark)
    {
        row = await StoreSteps.Commit(store, row, c =>
        {
            c.Schemas.Add(_schema);
            c.Gateways.Add(GatewayRow.New(_gateway, 0));
        });
        for (var commits = _random.Next(2, 10); commits > 0; commits--)
        {
            row = await StoreSteps.Commit(store, row, c => Fill(c, watermark));
        }

        return await StoreSteps.Commit(store, row, c =>
        {
            WriteMemory(c);
            c.Gateways.Add(GatewayRow.New(_gateway, 0) with { Watermark = watermark });
        });
    }

    /// <summary>Commits further readings of windows that are complete, each window's a revision of it.</summary>
    public async Task<PartitionRow> RunLateAsync(IStore store, PartitionRow row, long watermark)
    {
        for (var commits = _random.Next(1, 4); commits > 0; commits--)
        {
            row = await StoreSteps.Commit(store, row, c => AddLate(c, Store(c, watermark).Values));
        }

        return row;
    }

    private void Fill(StoreCommit commit, long watermark)
    {
        if (_random.Next(4) == 0)
        {
            Rebuild(commit, watermark);
        }

        if (_random.Next(3) == 0)
        {
            WriteMemory(commit);
        }

        var parts = Store(commit, watermark);
        if (_random.Next(2) == 0)
        {
            foreach (var (key, part) in parts)
            {
                if (!_memory.TryAdd(key, part))
                {
                    _memory[key].Merge(part);
                }
            }

            return;
        }

        if (_random.Next(2) == 0)
        {
            AddLate(commit, parts.Values);
        }
        else
        {
            commit.Parts.AddRange(parts.Values);
        }
    }

    private void AddLate(StoreCommit commit, IEnumerable<WindowPart> parts)
    {
        foreach (var part in parts)
        {
            part.IsLate = true;
            commit.Parts.Add(part);
            commit.Revisions.Add(new WindowRevisionRow(
                _gateway, new FrameKey(9, Lane.Backlog, 1, 5), RevisionCause.Late, part));
        }
    }

    // Random readings, and a part for each of their windows, which is not stored yet.
    private Dictionary<(SeriesEntry, WindowSpan), WindowPart> Store(StoreCommit commit, long watermark)
    {
        var rows = NewReadings(watermark);
        var parts = new Dictionary<(SeriesEntry, WindowSpan), WindowPart>();
        for (var row = 0; row < rows.Count; row++)
        {
            Add(parts, rows, row);
        }

        commit.Readings.AddAll(rows);
        _stored.AddAll(rows);
        return parts;
    }

    // All windows of a span, from the readings that are stored; what gathers of them goes too.
    private void Rebuild(StoreCommit commit, long watermark)
    {
        var span = new OpenSpan(watermark - (_random.Next(2, 9) * Minute), watermark - Minute);
        commit.RemovedParts.Add(new PartRemoval(_gateway, span, long.MinValue));
        foreach (var key in _memory.Keys.Where(k => span.Contains(k.Item2)).ToArray())
        {
            _memory.Remove(key);
        }

        var parts = new Dictionary<(SeriesEntry, WindowSpan), WindowPart>();
        for (var row = 0; row < _stored.Count; row++)
        {
            if (span.Contains(Widths.Of(_stored.Series[row].Definition.Metric, _stored.Times[row])))
            {
                Add(parts, _stored, row);
            }
        }

        commit.Parts.AddRange(parts.Values);
    }

    private ReadingBuffer NewReadings(long watermark)
    {
        var rows = new ReadingBuffer();
        var (first, length) = (watermark - (_random.Next(2, 9) * Minute), _random.NextInt64(1_000_000, 2 * Minute));
        var times = Enumerable.Range(0, _random.Next(1, 120))
            .Select(_ => Math.Min(watermark - Minute - 1, first + _random.NextInt64(length))).ToArray();
        if (_random.Next(3) > 0)
        {
            Array.Sort(times);
        }

        foreach (var time in times)
        {
            _values.Add(rows, _schema.List.Entries[_random.Next(_schema.List.Entries.Length)], time);
        }

        return rows;
    }

    private void WriteMemory(StoreCommit commit)
    {
        commit.Parts.AddRange(_memory.Values);
        _memory.Clear();
    }

    private static void Add(
        Dictionary<(SeriesEntry, WindowSpan), WindowPart> parts, ReadingBuffer rows, int row)
    {
        var (series, span) = (rows.Series[row], Widths.Of(rows.Series[row].Definition.Metric, rows.Times[row]));
        if (!parts.TryGetValue((series, span), out var part))
        {
            parts[(series, span)] = part = new WindowPart().Begin(series, span);
        }

        part.Add(rows.Times[row], rows.Flags[row], rows.Bits[row], rows.HashOf(row));
    }
}
