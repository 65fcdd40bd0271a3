using Telemetry.Storage;
using Telemetry.Storage.Access;

namespace Telemetry.Dashboard.Access;

/// <summary>What came of a login.</summary>
/// <param name="Secret">The secret of the new session; null when there is none.</param>
/// <param name="Wait">How long to wait before the next attempt, which was not checked; zero when it was.</param>
/// <param name="IsBusy">True when too many passwords wait for their check.</param>
internal sealed record LoginOutcome(string? Secret, TimeSpan Wait, bool IsBusy = false);

/// <summary>
/// Checks names and passwords, few at once. A wrong password, an unknown name and a disabled user get the same answer
/// after the same time.
/// </summary>
internal sealed class Login(IDashboardUsers users, DashboardOptions options, TimeProvider time) : IDisposable
{
    /// <summary>No refusal is sent earlier than this after the attempt.</summary>
    public static readonly TimeSpan RefuseAfter = TimeSpan.FromSeconds(1);

    private const int WaitingMax = 32, PasswordMax = 1024;

    private readonly LoginPace _pace = new(time);
    private readonly SemaphoreSlim _checks = new(Math.Max(1, Environment.ProcessorCount / 2));
    private int _waiting;

    public void Dispose() => _checks.Dispose();

    /// <summary>Throws <see cref="StoreException"/> when the database fails.</summary>
    public async Task<LoginOutcome> TryAsync(
        string name, string password, string address, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        if (_pace.Begin(address, name) is var wait && wait > TimeSpan.Zero)
        {
            return new LoginOutcome(null, wait);
        }

        if (Interlocked.Increment(ref _waiting) > WaitingMax)
        {
            Interlocked.Decrement(ref _waiting);
            _pace.Withdraw(address, name);
            return new LoginOutcome(null, TimeSpan.Zero, IsBusy: true);
        }

        string? secret;
        try
        {
            await _checks.WaitAsync(cancellationToken);
            try
            {
                secret = await CheckAsync(name, password, cancellationToken);
            }
            finally
            {
                _checks.Release();
            }
        }
        catch (StoreException)
        {
            _pace.Withdraw(address, name);
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        if (secret is not null)
        {
            _pace.Succeeded(address, name);
            return new LoginOutcome(secret, TimeSpan.Zero);
        }

        var left = RefuseAfter - time.GetElapsedTime(began);
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left, time, cancellationToken);
        }

        return new LoginOutcome(null, TimeSpan.Zero);
    }

    private async Task<string?> CheckAsync(string name, string password, CancellationToken cancellationToken)
    {
        var found = DashboardUser.IsName(name) ? await users.FindAsync(name, cancellationToken) : null;
        var kept = found?.Password ?? PasswordHash.Nobody;
        var given = password.Length <= PasswordMax ? password : "";
        var isRight = await Task.Run(() => kept.Is(given), cancellationToken);
        if (!isRight || found is not { User.Disabled: false })
        {
            return null;
        }

        var secret = SessionSecret.Create();
        return await users.BeginAsync(
            name, kept, SessionSecret.Hash(secret), options.Session, cancellationToken) ? secret : null;
    }
}
