namespace Telemetry.Dashboard.Access;

/// <summary>
/// Slows down whoever tries passwords: after a few wrong ones of an address for a name, or of an address for all names,
/// further attempts are not checked for a while, which doubles each time. Bounded; any thread.
/// </summary>
internal sealed class LoginPace(TimeProvider time)
{
    /// <summary>The longest pause. After as long without an attempt an address begins anew.</summary>
    public static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(1);

    private const int OfNameFree = 3, OfAddressFree = 30, KnownMax = 8192;

    private static readonly TimeSpan PauseFirst = TimeSpan.FromSeconds(1);

    private readonly Dictionary<(string Address, string? Name), Attempts> _known = [];
    private readonly Lock _gate = new();

    /// <summary>
    /// Begins an attempt, which counts as a wrong one until <see cref="Succeeded"/>, so that many at once are not
    /// checked either. Returns how long to wait instead; zero when the password is to be checked.
    /// </summary>
    public TimeSpan Begin(string address, string name)
    {
        lock (_gate)
        {
            var (ofName, ofAddress) = ((address, (string?)name), (address, (string?)null));
            var left = Max(Left(ofName, OfNameFree), Left(ofAddress, OfAddressFree));
            if (left == TimeSpan.Zero)
            {
                Count(ofName);
                Count(ofAddress);
            }

            return left;
        }
    }

    /// <summary>The password was right: attempts for this name are forgotten, those for other names are not.</summary>
    public void Succeeded(string address, string name)
    {
        lock (_gate)
        {
            _known.Remove((address, name));
            Uncount((address, null));
        }
    }

    /// <summary>The password could not be checked: the attempt does not count.</summary>
    public void Withdraw(string address, string name)
    {
        lock (_gate)
        {
            Uncount((address, name));
            Uncount((address, null));
        }
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Pause(int number, int free)
    {
        var pause = number < free ? TimeSpan.Zero : PauseFirst * Math.Pow(2, Math.Min(number - free, 10));
        return pause < PauseMax ? pause : PauseMax;
    }

    private TimeSpan Left((string, string?) key, int free)
    {
        if (!_known.TryGetValue(key, out var attempts))
        {
            return TimeSpan.Zero;
        }

        var left = Pause(attempts.Number, free) - time.GetElapsedTime(attempts.At);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private void Uncount((string, string?) key)
    {
        if (_known.TryGetValue(key, out var attempts) && attempts.Number > 0)
        {
            _known[key] = attempts with { Number = attempts.Number - 1 };
        }
    }

    private void Count((string, string?) key)
    {
        var before = _known.GetValueOrDefault(key);
        var isOld = before.Number > 0 && time.GetElapsedTime(before.At) >= 2 * PauseMax;
        if (before.Number == 0 && _known.Count >= KnownMax)
        {
            _known.Remove(_known.MinBy(entry => entry.Value.At).Key);
        }

        _known[key] = new Attempts(isOld ? 1 : before.Number + 1, time.GetTimestamp());
    }

    private readonly record struct Attempts(int Number, long At);
}
