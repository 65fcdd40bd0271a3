using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using Telemetry.Storage.Fleet;

namespace Telemetry.Dashboard.Live;

/// <summary>
/// The events for all open pages, as server-sent events. The bytes of an event are made once for all. A page that does
/// not take its events loses those that wait and is told to read everything anew.
/// </summary>
public sealed class EventStream(TimeProvider time)
{
    /// <summary>The most rows of one event; beyond it the pages read what they show anew.</summary>
    public const int RowsMax = 500;

    /// <summary>Events that wait for one page.</summary>
    private const int WaitingMax = 16;

    private static readonly TimeSpan QuietEvery = TimeSpan.FromSeconds(5),
        SummaryEvery = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly List<Viewer> _viewers = [];
    private readonly ArrayBufferWriter<byte> _buffer = new(16 * 1024);
    private FleetSummary? _summary;
    private FeedHealth? _health;
    private long? _pushedAt;
    private long _summaryAt;

    /// <summary>The number of open pages.</summary>
    public int Viewers
    {
        get
        {
            lock (_gate)
            {
                return _viewers.Count;
            }
        }
    }

    /// <summary>
    /// Opens a stream for one page of somebody who may see so much; null when there are <paramref name="max"/> already.
    /// </summary>
    public Viewer? Open(int max, SiteLimit limit)
    {
        lock (_gate)
        {
            if (_viewers.Count >= max)
            {
                return null;
            }

            var viewer = new Viewer(this, limit);
            _viewers.Add(viewer);
            return viewer;
        }
    }

    /// <summary>Pushes what changed, if something did; something is said every few seconds.</summary>
    public void Push(FleetModel model, FeedHealth health)
    {
        var rows = model.TakeChanged(RowsMax);
        var summary = model.Summary;
        var isQuiet = rows is { Count: 0 } && health == _health
            && (Same(summary, _summary) || time.GetElapsedTime(_summaryAt) < SummaryEvery);
        if (isQuiet && _pushedAt is { } at && time.GetElapsedTime(at) < QuietEvery)
        {
            return;
        }

        (_summary, _health, _pushedAt, _summaryAt) = (summary, health, time.GetTimestamp(), time.GetTimestamp());
        Send(limit => Event("fleet", json =>
        {
            WriteHead(json, model.Version, limit.IsNone ? summary : model.SummaryOf(limit), health, time);
            json.WriteBoolean("readAnew", rows is null);
            json.WriteStartArray("rows");
            foreach (var row in rows ?? [])
            {
                if (limit.Allows(row.Sites))
                {
                    row.Write(json);
                }
            }

            json.WriteEndArray();
        }));
    }

    /// <summary>Writes what each answer about the fleet begins with.</summary>
    public static void WriteHead(
        Utf8JsonWriter json, long version, FleetSummary summary, FeedHealth health, TimeProvider time)
    {
        json.WriteNumber("version", version);
        json.WriteString("at", time.GetUtcNow().UtcDateTime);
        summary.Write(json);
        json.WriteStartObject("behind");
        json.WriteString("what", health.What);
        if (health.SinceMicros != long.MinValue)
        {
            json.WriteString("since", DateTime.UnixEpoch.AddTicks(health.SinceMicros * TimeSpan.TicksPerMicrosecond));
        }

        json.WriteString("text", health.Text);
        json.WriteEndObject();
    }

    // JSON has no line breaks of its own here, so that one data line suffices.
    private byte[] Event(string name, Action<Utf8JsonWriter> write)
    {
        _buffer.ResetWrittenCount();
        _buffer.Write("event: "u8);
        _buffer.Write(System.Text.Encoding.ASCII.GetBytes(name));
        _buffer.Write("\ndata: "u8);
        using (var json = new Utf8JsonWriter(_buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        _buffer.Write("\n\n"u8);
        return _buffer.WrittenSpan.ToArray();
    }

    // Of viewers who may see the same the bytes are made once.
    private void Send(Func<SiteLimit, byte[]> make)
    {
        Viewer[] viewers;
        lock (_gate)
        {
            viewers = [.. _viewers];
        }

        foreach (var alike in viewers.GroupBy(viewer => viewer.Limit.Key, StringComparer.Ordinal))
        {
            var bytes = make(alike.First().Limit);
            foreach (var viewer in alike)
            {
                viewer.Send(bytes);
            }
        }
    }

    private void Close(Viewer viewer)
    {
        lock (_gate)
        {
            _viewers.Remove(viewer);
        }
    }

    private static bool Same(FleetSummary a, FleetSummary? b) =>
        b is not null && a.Gateways == b.Gateways && a.AtRisk == b.AtRisk && a.Firing == b.Firing
        && a.States.SequenceEqual(b.States);

    /// <summary>One open page.</summary>
    public sealed class Viewer(EventStream stream, SiteLimit limit) : IDisposable
    {
        /// <summary>What the viewer may see.</summary>
        public SiteLimit Limit { get; } = limit;

        private static readonly byte[] Anew = "event: anew\ndata: {}\n\n"u8.ToArray();

        private readonly Channel<byte[]> _waiting = Channel.CreateBounded<byte[]>(WaitingMax);

        /// <summary>The events, as they are written.</summary>
        public ChannelReader<byte[]> Events => _waiting.Reader;

        public void Dispose() => stream.Close(this);

        internal void Send(byte[] bytes)
        {
            if (_waiting.Writer.TryWrite(bytes))
            {
                return;
            }

            while (_waiting.Reader.TryRead(out _))
            {
                // What waits is older than what the page reads then.
            }

            _waiting.Writer.TryWrite(Anew);
        }
    }
}
