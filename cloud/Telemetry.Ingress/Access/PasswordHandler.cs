using System.Net;
using Microsoft.Extensions.Logging;
using Telemetry.Model.Identity;

namespace Telemetry.Ingress.Access;

/// <summary>
/// Judges user names and passwords. One that was right before costs nothing and is never held up; every other one needs
/// a check, which waits for its turn (<see cref="PasswordChecks"/>) and is not done at all while its sender is paused
/// for wrong ones (<see cref="FailedAttempts"/>). Any thread.
/// </summary>
public sealed class PasswordHandler(
    Func<GatewayPasswords> passwords, PasswordOptions options, IngressCounters counters, TimeProvider time,
    ILogger logger)
{
    private readonly PasswordChecks _checks = new(options);
    private readonly FailedAttempts _failed = new(options, time);
    private readonly RefusalLines _pauseLines = new(time);
    private long _refusedBusy;

    /// <summary>How many checks wait.</summary>
    public int Waiting => _checks.Waiting;

    /// <summary>How many senders with wrong passwords are remembered.</summary>
    public int Senders => _failed.Count;

    /// <summary>
    /// Judges an attempt. Of <paramref name="user"/> null: none is named by it, and the attempt is wrong. What is not
    /// right is told <see cref="PasswordOptions.RefuseAfter"/> after the call at the soonest, but
    /// <see cref="PasswordVerdict.Busy"/> at once.
    /// </summary>
    public async ValueTask<PasswordVerdict> JudgeAsync(
        GatewayId? user, ReadOnlyMemory<byte> password, EndPoint? remote, CancellationToken ct)
    {
        var since = time.GetTimestamp();
        SayEnded();
        var verdict = user is { } gateway ? await FindAsync(gateway, password, remote, ct) : PasswordVerdict.Wrong;
        if (verdict == PasswordVerdict.Busy)
        {
            counters.Count(IngressEvent.ConnectBusy);
            if (Interlocked.Increment(ref _refusedBusy) == 1)
            {
                IngressLog.PasswordsBusy(logger, options.WaitingMax);
            }

            return verdict;
        }

        if (verdict != PasswordVerdict.Right && options.RefuseAfter - time.GetElapsedTime(since) is var rest
            && rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, time, ct);
        }

        return verdict;
    }

    private async ValueTask<PasswordVerdict> FindAsync(
        GatewayId gateway, ReadOnlyMemory<byte> password, EndPoint? remote, CancellationToken ct)
    {
        var known = passwords();
        if (known.IsRemembered(gateway, password.Span))
        {
            return PasswordVerdict.Right;
        }

        var sender = PasswordSender.Of(remote, known.Has(gateway) ? gateway.Value : "");
        if (_failed.IsPaused(sender))
        {
            counters.Count(IngressEvent.ConnectUnchecked);
            return PasswordVerdict.Unchecked;
        }

        var verdict = await _checks.CheckAsync(sender, () => known.Verify(gateway, password.Span), ct);
        switch (verdict)
        {
            case PasswordVerdict.Right:
                counters.Count(IngressEvent.PasswordChecked);
                _failed.Succeeded(sender);
                break;
            case PasswordVerdict.Wrong:
                counters.Count(IngressEvent.PasswordChecked);
                SayFailed(sender);
                break;
            case PasswordVerdict.Unchecked:
                counters.Count(IngressEvent.ConnectUnchecked);
                break;
        }

        return verdict;
    }

    private void SayFailed(PasswordSender sender)
    {
        if (_failed.Failed(sender) && _pauseLines.TryTake(out var notLogged))
        {
            IngressLog.PasswordsPaused(logger, sender, options.FailuresFree, notLogged);
        }
    }

    /// <summary>Says of pauses, and of an overload, that they are over: with the next attempt after them.</summary>
    private void SayEnded()
    {
        while (_failed.TakeEnded(out var sender, out var notChecked, out var wasPaused))
        {
            if (wasPaused && _pauseLines.TryTake(out var notLogged))
            {
                IngressLog.PasswordPauseEnded(logger, sender, notChecked, notLogged);
            }
        }

        if (Volatile.Read(ref _refusedBusy) > 0 && _checks.Waiting <= options.WaitingMax / 2
            && Interlocked.Exchange(ref _refusedBusy, 0) is > 0 and var refused)
        {
            IngressLog.PasswordsCaughtUp(logger, refused);
        }
    }
}
