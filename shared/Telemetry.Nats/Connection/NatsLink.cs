using System.Buffers;
using System.IO.Pipelines;
using System.Security.Authentication;

namespace Telemetry.Nats;

/// <summary>What a link shares with the links before and after it.</summary>
internal sealed record NatsLinkContext(
    NatsOptions Options,
    NatsWriteBuffer Output,
    NatsSinkTable Sinks,
    NatsCounters Counters,
    Func<TimeSpan> Now,
    Action<string> Complain);

/// <summary>
/// One connection to one server, from its first byte to its end: moves bytes between stream, session and write
/// buffer. The receive loop and the timer share the session under one lock.
/// </summary>
internal sealed class NatsLink : IAsyncDisposable
{
    private readonly NatsLinkContext _context;
    private readonly NatsSession _session;
    private readonly NatsFrameReader _frames = new();
    private readonly ArrayBufferWriter<byte> _answers = new(256);
    private readonly Lock _sessionGate = new();
    private readonly Dictionary<long, TaskCompletionSource> _pongs = [];
    private readonly TaskCompletionSource<NatsException> _broken =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Stream _stream;
    private PipeReader _input;

    private NatsLink(NatsServerAddress address, Stream stream, NatsLinkContext context)
    {
        var options = context.Options;
        Address = address;
        _context = context;
        _stream = stream;
        _input = InputOf(stream);
        _frames.Limits = NatsReadLimits.Default with { PayloadBytesMax = options.MessageBytesMax };
        var wantsTls = options.Tls is not null || address.Tls;
        var connect = new NatsConnectRequest
        {
            Name = options.Name,
            User = options.User,
            Password = options.Password,
            Token = options.Token,
            TlsRequired = wantsTls,
        };
        _session = new(connect, wantsTls, options.PingInterval, options.PingsUnansweredMax);
    }

    public NatsServerAddress Address { get; }

    public NatsServerInfo Info => _session.Info!;

    /// <summary>
    /// Connects, upgrades, authenticates. Fails with a <see cref="NatsException"/> or by cancellation.
    /// </summary>
    public static async ValueTask<NatsLink> OpenAsync(
        NatsServerAddress address, NatsLinkContext context, CancellationToken ct)
    {
        var options = context.Options;
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        NatsLink? link = null;
        try
        {
            var stream = await (options.OpenStream ?? NatsStreams.OpenTcpAsync)(address, either.Token);
            link = new(address, stream, context);
            await link.HandshakeAsync(either.Token);
            return link;
        }
        catch (Exception e)
        {
            if (link is not null)
            {
                await link.DisposeAsync();
            }

            ct.ThrowIfCancellationRequested();
            throw timeout.IsCancellationRequested
                ? new NatsConnectionException($"{address} was not ready within {options.ConnectTimeout}", e)
                : Translate(e, address);
        }
    }

    /// <summary>Sends and receives until the link breaks, and says why it did. Call once.</summary>
    public async Task<NatsException> RunAsync(CancellationToken ct)
    {
        using var stop = ct.UnsafeRegister(
            static state => ((NatsLink)state!).Break(
                new NatsConnectionException("The connection was closed", isTransient: false)),
            this);
        var receiving = ReceiveAsync();
        var sending = SendAsync();
        var reason = await _broken.Task;
        _context.Output.Close(reason);
        await _stream.DisposeAsync();
        await receiving;
        await sending;
        FailPongs(reason);
        return reason;
    }

    /// <summary>Called by the connection's timer.</summary>
    public void Tick(TimeSpan now)
    {
        lock (_sessionGate)
        {
            var step = _session.Tick(now, _answers);
            SendAnswers();
            if (step == NatsSessionStep.Break)
            {
                Break(_session.Fault!);
            }
        }
    }

    /// <summary>Completes when the server has read everything that was published before.</summary>
    public Task PingAsync()
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_sessionGate)
        {
            if (_session.Fault is { } fault)
            {
                return Task.FromException(NatsConnectionException.Because(fault));
            }

            _pongs.Add(_session.SendPing(_answers), answered);
            SendAnswers();
        }

        return answered.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        await _input.CompleteAsync();
    }

    private static PipeReader InputOf(Stream stream) =>
        PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));

    private static NatsException Translate(Exception error, NatsServerAddress address) => error switch
    {
        NatsException known => known,
        AuthenticationException => new NatsConnectionException(
            $"TLS with {address} failed: {error.Message}", error, isTransient: false),
        _ => new NatsConnectionException($"{address}: {error.Message}", error),
    };

    private async ValueTask HandshakeAsync(CancellationToken ct)
    {
        _session.Begin(_context.Now());
        while (true)
        {
            var read = await _input.ReadAsync(ct);
            var step = ReadHandshake(read.Buffer, out var consumed);
            if (step is NatsSessionStep.Continue)
            {
                _input.AdvanceTo(consumed, read.Buffer.End);
            }
            else
            {
                _input.AdvanceTo(consumed);
            }

            if (step == NatsSessionStep.UpgradeToTls)
            {
                await _input.CompleteAsync();
                _stream = await NatsStreams.UpgradeAsync(_stream, Address, _context.Options.Tls, ct);
                _input = InputOf(_stream);
                step = _session.TlsEstablished(_answers);
            }

            if (_answers.WrittenCount > 0)
            {
                await _stream.WriteAsync(_answers.WrittenMemory, ct);
                _answers.ResetWrittenCount();
            }

            if (step == NatsSessionStep.Break)
            {
                throw _session.Fault!;
            }

            if (step == NatsSessionStep.BecomeReady)
            {
                return;
            }

            if (read.IsCompleted)
            {
                throw new NatsConnectionException($"{Address} closed the connection during the handshake");
            }
        }
    }

    private NatsSessionStep ReadHandshake(ReadOnlySequence<byte> buffer, out SequencePosition consumed)
    {
        _session.Heard(_context.Now());
        var step = NatsSessionStep.Continue;
        while (step is NatsSessionStep.Continue or NatsSessionStep.Report && _frames.TryRead(ref buffer, out var frame))
        {
            step = _session.Receive(frame, _answers);
        }

        if (step == NatsSessionStep.UpgradeToTls && !buffer.IsEmpty)
        {
            throw new NatsProtocolException("Bytes behind INFO before TLS");
        }

        consumed = buffer.Start;
        return step;
    }

    private async Task ReceiveAsync()
    {
        try
        {
            while (!_broken.Task.IsCompleted)
            {
                var read = await _input.ReadAsync();
                var consumed = Dispatch(read.Buffer);
                _input.AdvanceTo(consumed, read.Buffer.End);
                if (read.IsCompleted)
                {
                    Break(new NatsConnectionException($"{Address} closed the connection"));
                }
            }
        }
        catch (Exception e)
        {
            // Stream closed, malformed bytes, or a handler that threw: whatever it is, this link ends with it.
            Break(Translate(e, Address));
        }
    }

    private SequencePosition Dispatch(ReadOnlySequence<byte> buffer)
    {
        lock (_sessionGate)
        {
            _session.Heard(_context.Now());
        }

        var bytes = buffer.Length;
        var messages = 0;
        while (_frames.TryRead(ref buffer, out var frame))
        {
            if (frame.Kind is NatsFrameKind.Message or NatsFrameKind.MessageWithHeaders)
            {
                messages++;
                if (_context.Sinks.TryFind(frame.SubscriptionId, out var sink))
                {
                    sink!.Deliver(frame);
                }

                continue;
            }

            ReceiveControl(frame);
        }

        _context.Counters.CountReceived(messages, bytes - buffer.Length);
        return buffer.Start;
    }

    private void ReceiveControl(in NatsFrame frame)
    {
        lock (_sessionGate)
        {
            var step = _session.Receive(frame, _answers);
            SendAnswers();
            switch (step)
            {
                case NatsSessionStep.CountPong:
                    if (_pongs.Remove(_session.PongsReceived, out var waiting))
                    {
                        waiting.TrySetResult();
                    }

                    break;
                case NatsSessionStep.Report:
                    _context.Complain(_session.Complaint!);
                    break;
                case NatsSessionStep.Break:
                    throw _session.Fault!;
                default:
                    break;
            }
        }
    }

    private async Task SendAsync()
    {
        try
        {
            while (await _context.Output.WaitAsync())
            {
                for (var bytes = _context.Output.Take(); !bytes.IsEmpty; bytes = _context.Output.Take())
                {
                    await _stream.WriteAsync(bytes);
                    _context.Counters.CountSent(bytes.Length);
                }
            }
        }
        catch (Exception e)
        {
            Break(Translate(e, Address));
        }
    }

    /// <summary>Under the session's lock.</summary>
    private void SendAnswers()
    {
        if (_answers.WrittenCount > 0)
        {
            _context.Output.AppendControl(_answers, static (answers, output) => output.Write(answers.WrittenSpan));
            _answers.ResetWrittenCount();
        }
    }

    private void Break(NatsException reason) => _broken.TrySetResult(reason);

    private void FailPongs(NatsException reason)
    {
        lock (_sessionGate)
        {
            _session.Break(reason);
            foreach (var waiting in _pongs.Values)
            {
                waiting.TrySetException(NatsConnectionException.Because(reason));
            }

            _pongs.Clear();
        }
    }
}
