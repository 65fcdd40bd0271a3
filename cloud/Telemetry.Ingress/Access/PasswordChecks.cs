namespace Telemetry.Ingress.Access;

/// <summary>The result of an attempt.</summary>
public enum PasswordVerdict
{
    /// <summary>It is the gateway's password.</summary>
    Right,

    /// <summary>It is another password, or the file does not have the gateway.</summary>
    Wrong,

    /// <summary>Not checked: the sender is paused, or has as many checks waiting as allowed.</summary>
    Unchecked,

    /// <summary>Not checked: as many checks wait in all as allowed.</summary>
    Busy,
}

/// <summary>
/// Runs the checks that cost time, on a few threads. They serve the networks in turn, and of one network the oldest
/// check first, so that many attempts from one network delay the others by one check each. Bounded by <see
/// cref="PasswordOptions.WaitingMax"/>. A thread exists while checks wait. May be called on any thread.
/// </summary>
internal sealed class PasswordChecks(PasswordOptions options)
{
    private readonly int _workersMax =
        options.Workers > 0 ? options.Workers : Math.Max(1, Environment.ProcessorCount / 2);

    private readonly Dictionary<UInt128, Queue<Check>> _byNetwork = [];
    private readonly Queue<UInt128> _turns = new();
    private readonly Dictionary<PasswordSender, int> _ofSender = [];
    private readonly Lock _gate = new();
    private int _waiting;
    private int _workers;

    /// <summary>The number of checks that wait.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>
    /// Runs <paramref name="check"/> when its turn comes, unless <paramref name="ct"/> is cancelled before; then the
    /// call is cancelled.
    /// </summary>
    public Task<PasswordVerdict> CheckAsync(PasswordSender sender, Func<bool> check, CancellationToken ct)
    {
        var added = new Check(sender, check, ct);
        lock (_gate)
        {
            if (_waiting >= options.WaitingMax)
            {
                return Task.FromResult(PasswordVerdict.Busy);
            }

            var ofSender = _ofSender.GetValueOrDefault(sender);
            if (ofSender >= options.WaitingPerSenderMax)
            {
                return Task.FromResult(PasswordVerdict.Unchecked);
            }

            _ofSender[sender] = ofSender + 1;
            Add(added);
            if (_workers < _workersMax)
            {
                _workers++;
                new Thread(Work) { IsBackground = true, Name = "password check" }.Start();
            }
        }

        return added.Done.Task;
    }

    private void Work()
    {
        while (TryTake(out var check))
        {
            check.Run();
            lock (_gate)
            {
                if (--_ofSender[check.Sender] == 0)
                {
                    _ofSender.Remove(check.Sender);
                }
            }
        }
    }

    private void Add(Check check)
    {
        if (!_byNetwork.TryGetValue(check.Sender.Network, out var queue))
        {
            _byNetwork[check.Sender.Network] = queue = new Queue<Check>();
            _turns.Enqueue(check.Sender.Network);
        }

        queue.Enqueue(check);
        _waiting++;
    }

    private bool TryTake(out Check check)
    {
        lock (_gate)
        {
            if (!_turns.TryDequeue(out var network))
            {
                _workers--;
                check = null!;
                return false;
            }

            var queue = _byNetwork[network];
            check = queue.Dequeue();
            _waiting--;
            if (queue.Count > 0)
            {
                _turns.Enqueue(network);
            }
            else
            {
                _byNetwork.Remove(network);
            }

            return true;
        }
    }

    private sealed record Check(PasswordSender Sender, Func<bool> IsRight, CancellationToken Ct)
    {
        public TaskCompletionSource<PasswordVerdict> Done { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Run()
        {
            if (Ct.IsCancellationRequested)
            {
                // The caller has gone: nobody needs the result.
                Done.TrySetCanceled(Ct);
                return;
            }

            try
            {
                Done.TrySetResult(IsRight() ? PasswordVerdict.Right : PasswordVerdict.Wrong);
            }
            catch (Exception e)
            {
                Done.TrySetException(e);
            }
        }
    }
}
