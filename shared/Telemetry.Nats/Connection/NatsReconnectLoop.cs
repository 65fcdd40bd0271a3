using System.Buffers;

namespace Telemetry.Nats;

/// <summary>
/// Keeps one link up: tries the servers in turn, waits with jitter between rounds, runs the link, and clears up
/// behind it. One loop a connection; its properties may be read from any thread.
/// </summary>
internal sealed class NatsReconnectLoop(
    NatsLinkContext context, NatsRequestTable requests, Action<NatsConnectionEvent> raise)
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly NatsServerAddress[] _servers = Shuffle(context.Options);
    private readonly NatsBackoff _backoff = new(
        context.Options.ReconnectDelayMin, context.Options.ReconnectDelayMax, context.Options.Random);

    private TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NatsConnectionState _state;
    private Task _running = Task.CompletedTask;
    private int _next;
    private long _generation;

    public NatsConnectionState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    public long Generation => Volatile.Read(ref _generation);

    public NatsServerInfo Info { get; private set; } = new();

    public NatsLink? Link { get; private set; }

    /// <summary>The first link; then the loop goes on by itself.</summary>
    public async ValueTask StartAsync(CancellationToken ct)
    {
        var link = await ConnectAsync(context.Options.KeepTryingAtStart ? int.MaxValue : 1, ct);
        RaiseUp(link);
        _running = RunAsync(link);
    }

    public Task WaitUntilConnectedAsync(CancellationToken ct)
    {
        lock (_gate)
        {
            return _connected.Task.WaitAsync(ct);
        }
    }

    public async ValueTask StopAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        var closed = new NatsConnectionException("The connection was closed", isTransient: false);
        lock (_gate)
        {
            if (_state == NatsConnectionState.Closed)
            {
                return;
            }

            _state = NatsConnectionState.Closed;
            _connected.TrySetException(closed);
            _ = _connected.Task.Exception;
        }

        context.Output.Close(closed);
        requests.FailAll(closed);
        foreach (var sink in context.Sinks.Snapshot())
        {
            sink.End(closed);
        }
    }

    private static NatsServerAddress[] Shuffle(NatsOptions options)
    {
        var servers = options.Servers.Select(NatsServerAddress.Parse).ToArray();
        options.Random.Shuffle(servers);
        return servers;
    }

    private async Task RunAsync(NatsLink first)
    {
        var link = first;
        try
        {
            while (true)
            {
                var reason = await link.RunAsync(_stopping.Token);
                await link.DisposeAsync();
                RaiseDown(link, reason);
                _stopping.Token.ThrowIfCancellationRequested();
                var delay = _backoff.Next() * context.Options.Random.NextDouble();
                await Task.Delay(delay, context.Options.TimeProvider, _stopping.Token);
                link = await ConnectAsync(int.MaxValue, _stopping.Token);
                RaiseUp(link);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The connection is being disposed: StopAsync clears up.
        }
    }

    private async ValueTask<NatsLink> ConnectAsync(int roundsMax, CancellationToken ct)
    {
        for (var failures = 0; ;)
        {
            var server = _servers[_next];
            try
            {
                return await NatsLink.OpenAsync(server, context, ct);
            }
            catch (NatsException e)
            {
                _next = (_next + 1) % _servers.Length;
                context.Counters.CountConnectFailure();
                raise(new(NatsConnectionEventKind.ConnectFailed, Generation, server.ToString(), e, null));
                if (++failures % _servers.Length == 0 && failures / _servers.Length >= roundsMax)
                {
                    throw;
                }
            }

            if (failures % _servers.Length == 0)
            {
                await Task.Delay(_backoff.Next(), context.Options.TimeProvider, ct);
            }
        }
    }

    private void RaiseUp(NatsLink link)
    {
        _backoff.Reset();
        Info = link.Info;
        Link = link;
        if (Interlocked.Increment(ref _generation) > 1)
        {
            context.Counters.CountReconnect();
        }

        // A subscription added meanwhile is either in the snapshot or says SUB itself once the buffer is open; one
        // that does both is harmless, since the server takes a repeated SUB of the same id as the same.
        context.Output.Open(output =>
        {
            foreach (var sink in context.Sinks.Snapshot())
            {
                NatsFrameWriter.WriteSubscribe(output, sink.Subject, sink.QueueGroup, sink.Id);
            }
        });
        lock (_gate)
        {
            _state = NatsConnectionState.Connected;
            _connected.TrySetResult();
        }

        raise(new(NatsConnectionEventKind.Connected, Generation, link.Address.ToString(), null, null));
    }

    private void RaiseDown(NatsLink link, NatsException reason)
    {
        lock (_gate)
        {
            _state = NatsConnectionState.Disconnected;
            _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        Link = null;
        requests.FailAll(reason);
        foreach (var sink in context.Sinks.Snapshot())
        {
            if (!sink.SurvivesReconnect && context.Sinks.Remove(sink))
            {
                sink.End(reason);
            }
        }

        context.Counters.SetDiscarded(context.Output.DiscardedPublishes);
        raise(new(NatsConnectionEventKind.Disconnected, Generation, link.Address.ToString(), reason, null));
    }
}
