using System.Net.Sockets;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// A connection to NATS with JetStream, over one link at a time. Without a link every call fails at once with a <see
/// cref="FrameLogException"/>; calls under way fail when the link breaks. Nothing is sent again automatically. May be
/// used on any thread.
/// </summary>
public sealed class JetStreamConnection : IAsyncDisposable
{
    /// <summary>How long an append or a JetStream call waits for its answer.</summary>
    internal static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long closing waits for the library.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    private readonly Action<LinkChange>? _changed;
    private readonly Lock _gate = new();
    private volatile CancellationTokenSource _link = new();
    private volatile bool _isClosed;
    private volatile string _serverSaid = "";

    private JetStreamConnection(NatsOptions options, Action<LinkChange>? changed)
    {
        options.Validate();
        (Options, _changed) = (options, changed);
        Nats = new NatsConnection(options.ForLibrary());
        Context = new NatsJSContext(Nats, new NatsJSOpts(Nats.Opts, requestTimeout: AnswerTimeout));
        Nats.ConnectionOpened += OpenedAsync;
        Nats.ConnectionDisconnected += LostAsync;
        Nats.ReconnectFailed += (_, e) => Say(LinkChangeKind.ConnectFailed, $"{e.Message}{_serverSaid}");
        Nats.ServerError += (_, e) => ComplainedAsync(e.Error);
    }

    /// <summary>The options it was made with.</summary>
    public NatsOptions Options { get; }

    /// <summary>Counters since it was made.</summary>
    public NatsCounters Counters { get; } = new();

    /// <summary>True while a server is connected and ready.</summary>
    public bool IsConnected => Nats.ConnectionState == NatsConnectionState.Open && !_link.IsCancellationRequested;

    /// <summary>The version of the current or last server.</summary>
    public string ServerVersion => Nats.ServerInfo?.Version ?? "";

    /// <summary>The library's JetStream calls.</summary>
    internal NatsJSContext Context { get; }

    internal NatsConnection Nats { get; }

    internal PublishWindow Window { get; private set; } = null!;

    /// <summary>Cancelled when the current link breaks.</summary>
    internal CancellationToken LinkLost => _link.Token;

    /// <summary>Connects, or throws a <see cref="FrameLogException"/> when no server can be reached.</summary>
    /// <param name="options">The servers.</param>
    /// <param name="changed">Called with each change of the link; must not block or throw.</param>
    /// <param name="cancellationToken">Cancels connecting.</param>
    public static async Task<JetStreamConnection> ConnectAsync(
        NatsOptions options, Action<LinkChange>? changed = null, CancellationToken cancellationToken = default)
    {
        var connection = new JetStreamConnection(options, changed);
        try
        {
            await connection.Nats.ConnectAsync().AsTask().WaitAsync(cancellationToken);
            connection.Window = new PublishWindow(connection);
            await connection.Nats.AddSubAsync(connection.Window, cancellationToken);
            return connection;
        }
        catch (Exception e)
        {
            await connection.DisposeAsync();
            if (IsTrouble(e, cancellationToken))
            {
                throw new FrameLogException($"{options}: {Text(e)}", inner: e);
            }

            throw;
        }
    }

    /// <summary>Connects; while no server can be reached it tries again, after pauses that grow to 5 s.</summary>
    public static async Task<JetStreamConnection> ConnectWhenReachedAsync(
        NatsOptions options, Action<LinkChange> changed, CancellationToken cancellationToken)
    {
        for (var pause = TimeSpan.FromMilliseconds(100); ;)
        {
            try
            {
                return await ConnectAsync(options, changed, cancellationToken);
            }
            catch (FrameLogException e)
            {
                changed(new LinkChange(LinkChangeKind.ConnectFailed, e.Message));
            }

            await Task.Delay(pause, options.TimeProvider, cancellationToken);
            pause = pause * 2 < TimeSpan.FromSeconds(5) ? pause * 2 : TimeSpan.FromSeconds(5);
        }
    }

    /// <summary>Calls JetStream or sends a request; a failure is a <see cref="FrameLogException"/>.</summary>
    /// <param name="what">What is attempted, for the message of the exception.</param>
    /// <param name="call">The call; its token is cancelled when the link breaks, and when the time limit of its answers
    /// is over: the library's own limits do not apply while a request waits for room in its buffer.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <param name="answers">The most answers that the call waits for, one after the other.</param>
    internal async ValueTask<T> CallAsync<T>(
        string what, Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellationToken, int answers = 1)
    {
        var lost = LinkLost;
        if (!IsConnected)
        {
            throw new FrameLogException($"{what}: not connected to NATS");
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lost);
        either.CancelAfter(
            answers * (Options.RequestTimeout > AnswerTimeout ? Options.RequestTimeout : AnswerTimeout));
        try
        {
            return await call(either.Token);
        }
        catch (Exception) when (lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new FrameLogException($"{what}: the link to NATS broke");
        }
        catch (Exception e) when (IsTrouble(e, cancellationToken))
        {
            if (e is NatsNoReplyException or NatsJSApiNoResponseException or TimeoutException
                or OperationCanceledException)
            {
                Counters.CountTimeout();
            }

            throw new FrameLogException($"{what}: {Text(e)}", inner: e);
        }
    }

    /// <summary>True when the stream exists; a failure is a <see cref="FrameLogException"/>.</summary>
    public ValueTask<bool> HasStreamAsync(string stream, CancellationToken cancellationToken) => CallAsync(
        $"look at {stream}",
        async token => await FindStreamAsync(stream, token) is not null,
        cancellationToken);

    /// <summary>The configuration and state of a stream; null when it does not exist.</summary>
    internal async ValueTask<StreamInfo?> FindStreamAsync(string stream, CancellationToken cancellationToken)
    {
        try
        {
            return (await Context.GetStreamAsync(stream, cancellationToken: cancellationToken)).Info;
        }
        catch (NatsJSApiException e) when (e.Error.ErrCode == JetStreamErrors.StreamNotFound)
        {
            return null;
        }
    }

    /// <summary>
    /// Waits until a server is ready; throws a <see cref="FrameLogException"/> when the connection was disposed.
    /// </summary>
    public async Task WaitUntilConnectedAsync(CancellationToken cancellationToken)
    {
        while (!IsConnected)
        {
            try
            {
                ObjectDisposedException.ThrowIf(_isClosed, this);
                await Nats.ConnectAsync().AsTask().WaitAsync(cancellationToken);
            }
            catch (Exception e) when (IsTrouble(e, cancellationToken))
            {
                throw new FrameLogException(_isClosed ? "the connection to NATS was closed" : Text(e), inner: e);
            }

            if (!IsConnected)
            {
                // The library is connected, but its event has not arrived yet.
                await Task.Delay(TimeSpan.FromMilliseconds(10), Options.TimeProvider, cancellationToken);
            }
        }
    }

    /// <summary>Closes the connection; waiting calls fail.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isClosed = true;
        }

        await _link.CancelAsync();
        if (Window is { } window)
        {
            await window.DisposeAsync();
        }

        // If its buffer is full, the library waits for room that nobody makes any more, and throws.
        await Nats.DisposeAsync().AsTask().WaitAsync(CloseTimeout).ConfigureAwait(
            ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        Counters.Dispose();
    }

    /// <summary>
    /// A new inbox. It is not below the library's inbox prefix, because the library takes messages there for answers to
    /// its requests.
    /// </summary>
    internal string NewInbox(string kind)
    {
        var unique = Nats.NewInbox();
        return $"_INBOX.{kind}.{unique[(unique.LastIndexOf('.') + 1)..]}";
    }

    /// <summary>True for failures caused by servers, links and time limits.</summary>
    internal static bool IsTrouble(Exception e, CancellationToken cancellationToken) =>
        e is NatsException or TimeoutException or ObjectDisposedException or SocketException or IOException
        || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    internal static string Text(Exception e) => e switch
    {
        NatsJSApiException { Error: var error } =>
            $"JetStream: {error.Description} (code {error.Code}, err_code {error.ErrCode})",
        OperationCanceledException or NatsNoReplyException or NatsJSApiNoResponseException => "no answer in time",
        _ => e.InnerException is { } inner && inner.Message != e.Message ? $"{e.Message}: {inner.Message}" : e.Message,
    };

    private ValueTask OpenedAsync(object? sender, NatsEventArgs e)
    {
        Counters.CountLink();
        _serverSaid = "";
        lock (_gate)
        {
            if (_link.IsCancellationRequested && !_isClosed)
            {
                _link = new CancellationTokenSource();
            }
        }

        return Say(LinkChangeKind.Connected, e.Message ?? "");
    }

    private async ValueTask LostAsync(object? sender, NatsEventArgs e)
    {
        await _link.CancelAsync();
        await Say(LinkChangeKind.Lost, e.Message ?? "");
    }

    /// <summary>
    /// Without a link, the error is the reason why the attempt to connect fails, which is reported next.
    /// </summary>
    private ValueTask ComplainedAsync(string error)
    {
        if (IsConnected)
        {
            return Say(LinkChangeKind.Complained, error);
        }

        _serverSaid = $": {error}";
        return ValueTask.CompletedTask;
    }

    private ValueTask Say(LinkChangeKind kind, string detail)
    {
        _changed?.Invoke(new LinkChange(kind, detail));
        return ValueTask.CompletedTask;
    }
}
