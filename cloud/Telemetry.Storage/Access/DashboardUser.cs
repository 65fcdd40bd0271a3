namespace Telemetry.Storage.Access;

/// <summary>A user of the dashboard.</summary>
/// <param name="Name">The name to log in with.</param>
/// <param name="Role">What the user may do.</param>
/// <param name="Sites">The sites that the user may see; empty for all.</param>
/// <param name="Disabled">True when the user may not log in.</param>
public sealed record DashboardUser(string Name, UserRole Role, IReadOnlyList<string> Sites, bool Disabled)
{
    /// <summary>The longest name.</summary>
    public const int NameMax = 64;

    /// <summary>
    /// True for 1 to 64 letters, digits and <c>. _ - @</c>: what a terminal, a page and a log show alike.
    /// </summary>
    public static bool IsName(string text) => text.Length is > 0 and <= NameMax
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '@');
}
