using System.Net;
using Microsoft.Extensions.Logging;
using Telemetry.Model.Identity;

namespace Telemetry.Ingress.Access;

/// <summary>
/// Checks user names and passwords. A password that was right before costs nothing and is never delayed. Every other
/// one needs a check, which waits for its turn (<see cref="PasswordChecks"/>) and is skipped while its sender is paused
/// for wrong passwords (<see cref="FailedAttempts"/>). May be used on any thread.
/// </summary>
public sealed class PasswordHandler(
    Func<GatewayPasswords> passwords, PasswordOptions options, IngressCounters counters, TimeProvider time,
    ILogger logger)
{
    private readonly PasswordChecks _checks = new(options);
    private readonly FailedAttempts _failed = new(options, time);
    private readonly RefusalLines _pauseLines = new(time);
    private long _refusedBusy;

    /// <summary>The number of checks that wait.</summary>
    public int Waiting => _checks.Waiting;

    /// <summary>The number of remembered senders with wrong passwords.</summary>
    public int Senders => _failed.Count;

    /// <summary>
    /// Checks an attempt. When <paramref name="user"/> is null, the user name names no gateway, and the attempt is
    /// wrong. A result other than right is returned at the earliest <see cref="PasswordOptions.RefuseAfter"/> after the
    /// call, except <see cref="PasswordVerdict.Busy"/>, which is returned at once.
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

    /// <summary>Logs that pauses, and an overload, are over, with the first attempt after them.</summary>
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
