using System.Globalization;
using System.Threading.Channels;
using Telemetry.Diagnostics.Failures;
using Telemetry.Model.Wire;
using Telemetry.Storage;
using Telemetry.Storage.Fleet;
using Telemetry.Streams;
using Telemetry.Streams.Fleet;

namespace Telemetry.Dashboard.Live;

/// <summary>
/// Keeps the model: listens first, then reads the database, then follows the messages. A jump in a partition's count
/// of commits means that it is read again. Metadata and whatever else no message tells is read every minute. While a
/// server is out of reach it says so and goes on with what it has.
/// </summary>
public sealed class FleetFeed(
    FleetModel model, IFleetQueries queries, IFleetChannel channel, EventStream events, ReportedFailure database,
    TimeProvider time)
{
    /// <summary>Messages that wait for the model; if there are more, everything is read from the database.</summary>
    private const int WaitingMax = 20_000;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50), TickEvery = TimeSpan.FromMilliseconds(500),
        ReadEvery = TimeSpan.FromMilliseconds(500), LoadEvery = TimeSpan.FromMinutes(1),
        RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Channel<byte[]> _changes = Channel.CreateBounded<byte[]>(WaitingMax);
    private readonly Channel<byte[]> _presence = Channel.CreateBounded<byte[]>(WaitingMax);
    private readonly ReportedFailure _database = database;
    private long _heardAt, _loadedAt, _readAt, _tickedAt;
    private bool _loaded, _hears;
    private volatile bool _overflowed;
    private long _behindSince = long.MinValue, _databaseSince = long.MinValue;

    /// <summary>So long a silence of all means that nothing can be heard: owners say something every 2 s.</summary>
    public static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(8);

    /// <summary>What keeps the pages from showing what is now.</summary>
    public FeedHealth Health { get; private set; } = new("loading", long.MinValue, "The fleet is being loaded.");

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var listening = new List<IAsyncDisposable>();
        try
        {
            while (listening.Count == 0)
            {
                await ListenAsync(listening, cancellationToken);
            }

            _heardAt = time.GetTimestamp();
            while (true)
            {
                await StepAsync(cancellationToken);
                await Task.Delay(Look, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The dashboard stops.
        }
        finally
        {
            foreach (var subscription in listening)
            {
                await subscription.DisposeAsync();
            }
        }
    }

    /// <summary>One look at what came and what is due.</summary>
    public async Task StepAsync(CancellationToken cancellationToken)
    {
        TakeMessages();
        await ReadAsync(cancellationToken);
        if (Elapsed(ref _tickedAt, TickEvery))
        {
            _hears = time.GetElapsedTime(_heardAt) <= SilenceMax;
            model.Tick(_hears && _loaded);
            Health = Judge();
        }

        if (_loaded)
        {
            events.Push(model, Health);
        }
    }

    private async Task ListenAsync(List<IAsyncDisposable> listening, CancellationToken cancellationToken)
    {
        try
        {
            listening.Add(await channel.ListenChangesAsync(m => Arrived(_changes, m), cancellationToken));
            listening.Add(await channel.ListenPresenceAsync(
                shared: false, m => Arrived(_presence, m), cancellationToken));
        }
        catch (FrameLogException)
        {
            // The process reports that NATS is out of reach.
            foreach (var subscription in listening)
            {
                await subscription.DisposeAsync();
            }

            listening.Clear();
            Health = new FeedHealth("nats", BehindSince(), "NATS cannot be reached; the pages stand still.");
            await Task.Delay(RetryAfter, time, cancellationToken);
        }
    }

    private void Arrived(Channel<byte[]> waiting, ReadOnlyMemory<byte> message)
    {
        if (!waiting.Writer.TryWrite(message.ToArray()))
        {
            _overflowed = true;
        }
    }

    private void TakeMessages()
    {
        if (_overflowed)
        {
            _overflowed = false;
            _loadedAt = 0;
        }

        while (_presence.Reader.TryRead(out var message))
        {
            Take(() => model.Take(PresenceReport.Read(message)));
        }

        while (_changes.Reader.TryRead(out var message))
        {
            Take(() => model.Take(PartitionChanges.Read(message)));
        }
    }

    private void Take(Action take)
    {
        try
        {
            take();
            _heardAt = time.GetTimestamp();
        }
        catch (WireFormatException)
        {
            // Of a newer version, or not of ours; the next full read makes up for it.
        }
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        if (!Elapsed(ref _readAt, _databaseSince == long.MinValue ? ReadEvery : RetryAfter))
        {
            return;
        }

        IReadOnlyList<int> partitions = [];
        IReadOnlyList<string> gateways = [];
        try
        {
            if (!_loaded || _loadedAt == 0 || time.GetElapsedTime(_loadedAt) >= LoadEvery)
            {
                model.Load(await queries.LoadAsync(null, cancellationToken), null);
                (_loaded, _loadedAt) = (true, time.GetTimestamp());
            }

            (partitions, gateways) = model.TakeAsked();
            foreach (var partition in partitions)
            {
                model.Load(await queries.LoadAsync(partition, cancellationToken), partition);
            }

            if (gateways.Count > 0)
            {
                model.TakeFiring(gateways, await queries.CountFiringAsync(gateways, cancellationToken));
            }

            _database.Worked();
            _databaseSince = long.MinValue;
        }
        catch (StoreException e)
        {
            model.Ask(partitions, gateways);
            _database.Failed(e.Message);
            _databaseSince = _databaseSince == long.MinValue ? NowMicros() : _databaseSince;
        }
    }

    private FeedHealth Judge()
    {
        if (_databaseSince != long.MinValue)
        {
            return new FeedHealth("database", _databaseSince, _loaded
                ? "The database cannot be read; what is not told by messages stands still."
                : "The database cannot be read; the fleet is not loaded.");
        }

        if (!_loaded)
        {
            return new FeedHealth("loading", long.MinValue, "The fleet is being loaded.");
        }

        if (!_hears)
        {
            return new FeedHealth(
                "nats", BehindSince(), "Nothing is heard of processors and ingresses; the pages stand still.");
        }

        var silent = model.Heard().Where(p => time.GetElapsedTime(p.HeardAt) > SilenceMax)
            .Select(p => p.Partition.ToString(CultureInfo.InvariantCulture)).ToArray();
        if (silent.Length > 0)
        {
            return new FeedHealth(
                "partitions", BehindSince(),
                $"Nothing is heard of partitions {string.Join(", ", silent.Take(8))}"
                + (silent.Length > 8 ? $" and {silent.Length - 8} more" : "")
                + "; their gateways stand still. No processor may own them.");
        }

        _behindSince = long.MinValue;
        return FeedHealth.Good;
    }

    // Everything was heard until then.
    private long BehindSince() => _behindSince == long.MinValue
        ? _behindSince = NowMicros() - (long)time.GetElapsedTime(_heardAt).TotalMicroseconds : _behindSince;

    private bool Elapsed(ref long at, TimeSpan every)
    {
        if (at != 0 && time.GetElapsedTime(at) < every)
        {
            return false;
        }

        at = time.GetTimestamp();
        return true;
    }

    private long NowMicros() =>
        (time.GetUtcNow().Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
