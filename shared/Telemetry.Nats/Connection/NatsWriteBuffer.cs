using System.Buffers;

namespace Telemetry.Nats;

/// <summary>
/// Bytes on their way to the socket: publishers fill one half while the write loop sends the other, so that
/// everything that gathers during one send goes out in the next. Bounded: a publish that does not fit waits
/// in line, first come first served. Control lines (SUB, UNSUB, PING, PONG) never wait; their number is
/// bounded by the number of subscriptions. Thread-safe; one write loop takes from it.
/// A buffer serves one connection after another; it is closed between them and then refuses publishes.
/// </summary>
internal sealed class NatsWriteBuffer
{
    private readonly Lock _gate = new();
    private readonly int _limitBytes;
    private readonly Queue<NatsOutgoing> _line = new();
    private readonly Pulse _filled;
    private Half _filling;
    private Half _sending;
    private NatsException? _closedBecause = new NatsConnectionException("Not connected");

    public NatsWriteBuffer(int limitBytes, bool allowSynchronousContinuations)
    {
        _limitBytes = limitBytes;
        _filled = new(allowSynchronousContinuations);
        _filling = new(Math.Min(limitBytes, 64 * 1024));
        _sending = new(Math.Min(limitBytes, 64 * 1024));
    }

    /// <summary>Publishes that were taken and then discarded unsent because the link broke.</summary>
    public long DiscardedPublishes { get; private set; }

    /// <summary>
    /// A link is up: <paramref name="preamble"/> goes out first (subscriptions), publishes may follow.
    /// </summary>
    public void Open(Action<IBufferWriter<byte>> preamble)
    {
        lock (_gate)
        {
            _closedBecause = null;
            preamble(_filling);
        }

        _filled.Set();
    }

    /// <summary>The link broke: what was not sent is discarded and counted, who waits in line fails.</summary>
    public void Close(NatsException reason)
    {
        List<NatsOutgoing> failed;
        lock (_gate)
        {
            if (_closedBecause is not null)
            {
                _closedBecause = reason;
                return;
            }

            _closedBecause = reason;
            DiscardedPublishes += _filling.Publishes + _sending.Publishes;
            _filling.Clear();
            _sending.Clear();
            failed = [.. _line];
            _line.Clear();
        }

        foreach (var outgoing in failed)
        {
            outgoing.Fail(reason);
        }

        _filled.Set();
    }

    /// <summary>
    /// Copies the publish into the buffer, or puts it in line. The outgoing's payload is read until it is
    /// <see cref="NatsOutgoing.Written"/>, failed or withdrawn. Not null: refused, why; nothing was kept.
    /// </summary>
    public NatsException? Append(NatsOutgoing outgoing)
    {
        lock (_gate)
        {
            if (_closedBecause is not null)
            {
                return _closedBecause;
            }

            if (_line.Count > 0 || !Fits(outgoing.Publish))
            {
                _line.Enqueue(outgoing);
                return null;
            }

            Write(outgoing.Publish);
        }

        outgoing.Written();
        _filled.Set();
        return null;
    }

    /// <summary>The quick way for a publish that fits: true, it is copied; false, it has to go in line.</summary>
    public bool TryAppend(in NatsPublish publish)
    {
        lock (_gate)
        {
            if (_closedBecause is { } refused)
            {
                throw NatsConnectionException.Because(refused);
            }

            if (_line.Count > 0 || !Fits(publish))
            {
                return false;
            }

            Write(publish);
        }

        _filled.Set();
        return true;
    }

    /// <summary>Takes it out of the line; afterwards nobody reads its payload. False: it is not in line.</summary>
    public bool Withdraw(NatsOutgoing outgoing)
    {
        lock (_gate)
        {
            if (!_line.Contains(outgoing))
            {
                return false;
            }

            var rest = _line.Where(other => other != outgoing).ToArray();
            _line.Clear();
            foreach (var other in rest)
            {
                _line.Enqueue(other);
            }

            return true;
        }
    }

    /// <summary>Control lines; when no link is up they are dropped, since the next preamble says all anew.</summary>
    public void AppendControl<TState>(TState state, Action<TState, IBufferWriter<byte>> write)
    {
        lock (_gate)
        {
            if (_closedBecause is not null)
            {
                return;
            }

            write(state, _filling);
        }

        _filled.Set();
    }

    /// <summary>Nobody waits for room.</summary>
    public bool LineIsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _line.Count == 0;
            }
        }
    }

    /// <summary>Waits for bytes to send. False: closed.</summary>
    public async ValueTask<bool> WaitAsync()
    {
        while (true)
        {
            lock (_gate)
            {
                if (_closedBecause is not null)
                {
                    return false;
                }

                if (_filling.Count > 0)
                {
                    return true;
                }
            }

            await _filled.WaitAsync();
        }
    }

    /// <summary>
    /// The bytes to send now, valid until the next call; empty when there are none. Calling again says that
    /// the previous ones were sent. Lets in those in line as far as they fit.
    /// </summary>
    public ReadOnlyMemory<byte> Take()
    {
        List<NatsOutgoing>? written = null;
        ReadOnlyMemory<byte> taken;
        lock (_gate)
        {
            _sending.Clear();
            (_filling, _sending) = (_sending, _filling);
            while (_line.TryPeek(out var next) && Fits(next.Publish))
            {
                Write(next.Publish);
                (written ??= []).Add(_line.Dequeue());
            }

            taken = _sending.Written;
        }

        if (written is not null)
        {
            foreach (var outgoing in written)
            {
                outgoing.Written();
            }
        }

        return taken;
    }

    /// <summary>A message larger than the whole buffer goes alone: max_payload bounds it.</summary>
    private bool Fits(in NatsPublish publish) =>
        _filling.Count == 0 || _filling.Count + publish.WireBytesMax <= _limitBytes;

    private void Write(in NatsPublish publish)
    {
        NatsFrameWriter.WritePublish(_filling, publish);
        _filling.Publishes++;
    }

    private sealed class Half(int capacity) : IBufferWriter<byte>
    {
        private byte[] _bytes = new byte[capacity];

        public int Count { get; private set; }

        public int Publishes { get; set; }

        public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Count);

        public void Clear()
        {
            Count = 0;
            Publishes = 0;
        }

        public void Advance(int count) => Count += count;

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            Reserve(sizeHint);
            return _bytes.AsMemory(Count);
        }

        public Span<byte> GetSpan(int sizeHint = 0)
        {
            Reserve(sizeHint);
            return _bytes.AsSpan(Count);
        }

        private void Reserve(int sizeHint)
        {
            var needed = Count + Math.Max(sizeHint, 1);
            if (needed > _bytes.Length)
            {
                Array.Resize(ref _bytes, (int)Math.Min(Math.Max(needed, _bytes.Length * 2L), Array.MaxLength));
            }
        }
    }
}
