using System.Collections.Concurrent;
using Telemetry.Dashboard.Access;
using Telemetry.Storage;
using Telemetry.Storage.Access;

namespace Telemetry.Tests.Dashboard;

/// <summary>Users and sessions in memory. Sessions do not end by themselves.</summary>
internal sealed class FakeDashboardUsers : IDashboardUsers
{
    private readonly Dictionary<string, (DashboardUser User, PasswordHash Password)> _users = [];
    private readonly ConcurrentDictionary<string, (string Name, bool Token)> _sessions = new();

    public bool Fails { get; set; }

    /// <summary>How often a user was looked for, which is once for each password that is checked.</summary>
    public int Looked { get; private set; }

    public void Add(string name, UserRole role, params string[] sites) => _users[name] = (
        new DashboardUser(name, role, sites, Disabled: false), PasswordHash.Of($"of {name}", rounds: 1));

    public void Disable(string name) => _users[name] = _users[name] with
    {
        User = _users[name].User with { Disabled = true },
    };

    /// <summary>Begins a session without a password; gives its secret.</summary>
    public string Enter(string name, bool token = false)
    {
        var secret = SessionSecret.Create();
        _sessions[Convert.ToHexString(SessionSecret.Hash(secret))] = (name, token);
        return secret;
    }

    public Task<int> CountAsync(CancellationToken cancellationToken)
    {
        Check();
        return Task.FromResult(_users.Count);
    }

    public Task<(DashboardUser User, PasswordHash Password)?> FindAsync(
        string name, CancellationToken cancellationToken)
    {
        Check();
        Looked++;
        return Task.FromResult<(DashboardUser, PasswordHash)?>(_users.TryGetValue(name, out var found) ? found : null);
    }

    public Task<bool> BeginAsync(
        string name, PasswordHash password, byte[] session, TimeSpan lasts, CancellationToken cancellationToken)
    {
        Check();
        _sessions[Convert.ToHexString(session)] = (name, false);
        return Task.FromResult(true);
    }

    public Task<DashboardUser?> WhoseAsync(byte[] session, bool token, CancellationToken cancellationToken)
    {
        Check();
        return Task.FromResult(
            _sessions.TryGetValue(Convert.ToHexString(session), out var found) && found.Token == token
                && _users.TryGetValue(found.Name, out var user) && !user.User.Disabled ? user.User : null);
    }

    public Task EndAsync(byte[] session, CancellationToken cancellationToken)
    {
        Check();
        _sessions.TryRemove(Convert.ToHexString(session), out _);
        return Task.CompletedTask;
    }

    private void Check()
    {
        if (Fails)
        {
            throw new StoreException("the database is away", isDataFault: false, mayHaveCommitted: false);
        }
    }
}
