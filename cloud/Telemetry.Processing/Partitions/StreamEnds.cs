using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Runtime;
using Telemetry.Streams;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// A hello that can be taken. <paramref name="Live"/> and <paramref name="Backlog"/>, for a full hello, are the
/// streams' ends as read after it arrived. <paramref name="Answer"/>: it was not answered yet.
/// </summary>
internal readonly record struct HelloReady(
    PartitionOwner Owner, GatewayId Gateway, Hello Hello, StreamState Live, StreamState Backlog, bool Answer)
{
    /// <summary>True when it was taken before, and only its answer was not complete yet.</summary>
    public bool Taken { get; init; }
}

/// <summary>
/// The full hellos of one partition that wait until its streams' ends are read. This happens beside the transactions: a
/// stream out of reach delays its partition's hellos and nothing else. Used on the processor's thread.
/// </summary>
internal sealed class StreamEnds(PartitionStream live, PartitionStream backlog)
{
    private readonly Dictionary<GatewayId, (Hello Hello, bool Answer)> _waiting = [];
    private Dictionary<GatewayId, (Hello Hello, bool Answer)> _asked = [];
    private (StreamState Live, StreamState Backlog)? _found;
    private bool _looking;
    private Task? _look;

    /// <summary>True while hellos wait.</summary>
    public bool Waiting => _waiting.Count + _asked.Count > 0;

    /// <summary>When the ends may be read again after a failure.</summary>
    public long RetryAtTimestamp { get; private set; }

    /// <summary>
    /// Adds a hello. Of each gateway the newest hello counts, even when an older one of its agent arrives later.
    /// </summary>
    public void Ask(GatewayId gateway, Hello hello, bool answer)
    {
        var (known, itsAnswer) = _waiting.GetValueOrDefault(gateway);
        _waiting[gateway] = (known?.Id.IsAfter(hello.Id) is true ? known : hello, answer || itsAnswer);
    }

    /// <summary>True when no hello of the gateway waits.</summary>
    public bool IsIdle(GatewayId gateway) => !_waiting.ContainsKey(gateway) && !_asked.ContainsKey(gateway);

    /// <summary>
    /// Begins to read the ends for all that wait; null when nothing waits, or a read is under way or not yet taken: its
    /// ends are older than the hellos that wait now.
    /// </summary>
    public Task? Look(
        long now, long retryAfter, Signal signal, Action<FrameLogException> failed, CancellationToken cancellationToken)
    {
        if (_looking || _found is not null || _waiting.Count == 0 || now < RetryAtTimestamp)
        {
            return null;
        }

        _looking = true;
        _asked = new(_waiting);
        _waiting.Clear();
        return _look = LookAsync();

        async Task LookAsync()
        {
            try
            {
                _found = (await live.StateAsync(cancellationToken), await backlog.StateAsync(cancellationToken));
            }
            catch (FrameLogException e)
            {
                failed(e);
                RetryAtTimestamp = now + retryAfter;
                foreach (var (gateway, asked) in _asked)
                {
                    _waiting.TryAdd(gateway, asked);
                }

                _asked.Clear();
            }
            catch (OperationCanceledException)
            {
                // The processor is stopping.
            }
            finally
            {
                _looking = false;
                signal.Set();
            }
        }
    }

    /// <summary>Takes the hellos whose streams' ends were read. Throws the exceptions that end the processor.</summary>
    public void Take(PartitionOwner owner, List<HelloReady> ready)
    {
        if (_look is { IsFaulted: true })
        {
            _look.GetAwaiter().GetResult();
        }

        if (_found is not { } found)
        {
            return;
        }

        live.Saw(found.Live);
        backlog.Saw(found.Backlog);
        foreach (var (gateway, (hello, answer)) in _asked)
        {
            ready.Add(new HelloReady(owner, gateway, hello, found.Live, found.Backlog, answer));
        }

        _found = null;
        _asked.Clear();
    }
}
