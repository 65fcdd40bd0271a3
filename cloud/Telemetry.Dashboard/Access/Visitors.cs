using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Http;
using Telemetry.Storage;
using Telemetry.Storage.Access;
using Telemetry.Storage.Fleet;

namespace Telemetry.Dashboard.Access;

/// <summary>
/// Finds out who asks. For those who look, what the database said of a session holds for a few seconds; while the
/// database is out of reach, whoever was let in before may look on for a while, so that the pages can say that it is.
/// Who changes something is asked for each time. Any thread.
/// </summary>
internal sealed class Visitors(IDashboardUsers users, SessionCookie cookie, DashboardOptions options, TimeProvider time)
{
    /// <summary>For so long the database's word holds: a disabled user sees nothing after it.</summary>
    public static readonly TimeSpan HoldsFor = TimeSpan.FromSeconds(3);

    /// <summary>For so long somebody who was let in may look while the database is out of reach.</summary>
    public static readonly TimeSpan HoldsWithoutDatabaseFor = TimeSpan.FromMinutes(10);

    /// <summary>What whoever asks is called where there are no users.</summary>
    public const string OpenName = "(this machine)";

    private const int KnownMax = 4096;

    private static readonly Visitor Open = new(
        OpenName, UserRole.Admin, SiteLimit.None, SessionSecret.Antiforgery(SessionSecret.Create()));

    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);

    private volatile OpenState? _open;

    /// <summary>
    /// True for a request through a proxy while there are no users: nobody can log in before one is added. False while
    /// the database is out of reach.
    /// </summary>
    public async Task<bool> NeedsUserAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return IsThroughProxy(request) && await HasNoUsersAsync(cancellationToken);
        }
        catch (StoreException)
        {
            return false;
        }
    }

    /// <summary>
    /// Who asks; null for nobody that is known. Throws <see cref="StoreException"/> when the database is needed to say
    /// so and out of reach.
    /// </summary>
    public async Task<Visitor?> FindAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (Bearer(request) is { } token)
        {
            return await FindAsync(token, isToken: true, request, cancellationToken);
        }

        if (cookie.Read(request) is { } secret
            && await FindAsync(secret, isToken: false, request, cancellationToken) is { } visitor)
        {
            return visitor;
        }

        try
        {
            return await IsOpenAsync(request, cancellationToken) ? Open : null;
        }
        catch (StoreException) when (_open is { } open && IsLooking(request)
            && time.GetElapsedTime(open.At) < HoldsWithoutDatabaseFor)
        {
            return open.Yes ? Open : null;
        }
    }

    /// <summary>False when whoever asked may not see the same any more.</summary>
    public async Task<bool> IsStillAsync(Visitor visitor, HttpRequest request)
    {
        try
        {
            return await FindAsync(request, request.HttpContext.RequestAborted) is { } now
                && now.Name == visitor.Name && now.Limit.Key == visitor.Limit.Key;
        }
        catch (StoreException)
        {
            return false;
        }
    }

    /// <summary>A session ended: what is known of it holds no more.</summary>
    public void Forget(string secret) => _known.TryRemove(Key(secret, isToken: false), out _);

    private static string? Bearer(HttpRequest request) =>
        request.Headers.Authorization.ToString() is var text
            && text.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? text[7..].Trim() : null;

    private static string Key(string secret, bool isToken) => (isToken ? "token " : "cookie ") + secret;

    private static bool IsLooking(HttpRequest request) => HttpMethods.IsGet(request.Method);

    // Whoever reaches a proxy of this machine asks from its loopback.
    private bool IsThroughProxy(HttpRequest request) => options.BehindTls
        || request.Headers.ContainsKey("X-Forwarded-For") || request.Headers.ContainsKey("Forwarded");

    // While there are no users and only this machine can ask, everybody who asks may do everything.
    private async Task<bool> IsOpenAsync(HttpRequest request, CancellationToken cancellationToken) =>
        IPAddress.IsLoopback(options.EndPoint.Address) && !IsThroughProxy(request)
        && await HasNoUsersAsync(cancellationToken);

    private async Task<bool> HasNoUsersAsync(CancellationToken cancellationToken)
    {
        if (_open is not { } open || time.GetElapsedTime(open.At) >= HoldsFor)
        {
            open = new OpenState(await users.CountAsync(cancellationToken) == 0, time.GetTimestamp());
            _open = open;
        }

        return open.Yes;
    }

    private async Task<Visitor?> FindAsync(
        string secret, bool isToken, HttpRequest request, CancellationToken cancellationToken)
    {
        if (secret.Length != SessionSecret.Length)
        {
            return null;
        }

        var key = Key(secret, isToken);
        var before = _known.GetValueOrDefault(key);
        if (before is not null && IsLooking(request) && time.GetElapsedTime(before.At) < HoldsFor)
        {
            return before.Visitor;
        }

        try
        {
            if (await users.WhoseAsync(SessionSecret.Hash(secret), isToken, cancellationToken) is not { } user)
            {
                _known.TryRemove(key, out _);
                return null;
            }

            if (_known.Count >= KnownMax)
            {
                _known.Clear();
            }

            var visitor = new Visitor(
                user.Name, user.Role, SiteLimit.Of(user.Sites), isToken ? null : SessionSecret.Antiforgery(secret));
            _known[key] = new Known(visitor, time.GetTimestamp());
            return visitor;
        }
        catch (StoreException) when (before is not null && IsLooking(request)
            && time.GetElapsedTime(before.At) < HoldsWithoutDatabaseFor)
        {
            return before.Visitor;
        }
    }

    private sealed record Known(Visitor Visitor, long At);

    private sealed record OpenState(bool Yes, long At);
}
