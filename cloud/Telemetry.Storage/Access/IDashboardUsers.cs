namespace Telemetry.Storage.Access;

/// <summary>
/// The users of the dashboard and their sessions. Of a session's secret only the SHA-256 is given. Errors are <see
/// cref="StoreException"/>.
/// </summary>
public interface IDashboardUsers
{
    /// <summary>The number of users, disabled ones too.</summary>
    Task<int> CountAsync(CancellationToken cancellationToken);

    /// <summary>A user and the password; null when there is none of that name.</summary>
    Task<(DashboardUser User, PasswordHash Password)?> FindAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// Begins a session; false when the user is disabled, is gone, or has another password than this by now.
    /// </summary>
    Task<bool> BeginAsync(
        string name, PasswordHash password, byte[] session, TimeSpan lasts, CancellationToken cancellationToken);

    /// <summary>Whose session (or token, as asked) it is; null when it has ended or its user may not log in.</summary>
    Task<DashboardUser?> WhoseAsync(byte[] session, bool token, CancellationToken cancellationToken);

    /// <summary>Ends a session.</summary>
    Task EndAsync(byte[] session, CancellationToken cancellationToken);
}
