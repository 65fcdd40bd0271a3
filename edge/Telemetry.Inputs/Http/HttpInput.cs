using Microsoft.Extensions.Logging;
using Telemetry.Edge.Outbox;
using Telemetry.Inputs.Senders;
using Telemetry.Model.Identity;

namespace Telemetry.Inputs.Http;


/// <summary>
/// Takes line protocol by HTTP. Runs on the agent's loop; connections are served on the pool's threads, and only bodies
/// that are whole come to the loop. While a broken outbox is opened again it goes on listening, and answers 503.
/// </summary>
public sealed class HttpInput : IInput
{
    private readonly HttpInputOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly HttpCounters _counters = new();
    private readonly WriteHandler _desk;
    private HttpServer? _server;
    private SynchronizationContext? _loop;
    private volatile bool _isReady;

    public HttpInput(
        HttpInputOptions options, GatewayId gateway, SenderJournal? journal, TimeProvider time, ILogger log)
    {
        _options = options;
        _time = time;
        _log = log;
        _desk = new WriteHandler(options, gateway, journal, _counters, time);
    }

    public string Name => "http";

    public long Acknowledged => _desk.Acknowledged;

    public long Refused => _desk.Refused;

    /// <summary>Where it listens; null while it does not.</summary>
    public string? Address => _server?.Address;

    IInputStatus? IInput.Status => Status;

    public HttpInputStatus Status => _counters.Read(_server?.Connections ?? 0, _desk.SeriesCacheCleared);

    public async Task RunAsync(ReadingOutbox outbox, CancellationToken cancellationToken)
    {
        _loop = SynchronizationContext.Current ?? throw new InvalidOperationException("the HTTP input runs on a loop");
        _desk.Open(outbox);
        _isReady = true;
        try
        {
            if (_server is null)
            {
                var endpoints = new HttpEndpoints(_options, OnLoop, () => _isReady, _counters, _time, _log);
                _server = await HttpServer.StartAsync(
                    _options, endpoints.HandleAsync, _counters, _time, cancellationToken);
                HttpInputLog.Listening(_log, _server.Address);
            }

            var cancelled = new TaskCompletionSource();
            using var registration = cancellationToken.Register(() => cancelled.TrySetResult());
            await cancelled.Task;
        }
        finally
        {
            // The listener closes first: who is not answered yet is answered by the outbox, who comes later meets
            // nobody and tries again by itself. An outbox that broke is opened again; until then they are told so.
            if (!outbox.Failed.IsCompleted && _server is { } server)
            {
                await server.StopListeningAsync();
            }

            _isReady = false;
            await _desk.CloseAsync();
            if (!outbox.Failed.IsCompleted && _server is { } ended)
            {
                _server = null;
                await ended.DisposeAsync();
            }
        }
    }

    public void Dispose()
    {
        // Only where the outbox cannot be opened again: connections are cut.
        _ = _server?.DisposeAsync().AsTask();
    }

    private Task<WriteAnswer> OnLoop(WriteRequest request)
    {
        var done = new TaskCompletionSource<WriteAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop!.Post(
            async _ =>
            {
                try
                {
                    done.SetResult(await _desk.WriteAsync(request));
                }
                catch (Exception e)
                {
                    done.SetException(e);
                }
            },
            null);
        return done.Task;
    }
}
