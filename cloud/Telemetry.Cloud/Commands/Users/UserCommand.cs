using System.Globalization;
using System.Text;
using Telemetry.Cloud.Configuration;
using Telemetry.Dashboard.Access;
using Telemetry.Runtime.Commands;
using Telemetry.Storage.Access;
using Telemetry.Storage.Postgres.Access;

namespace Telemetry.Cloud.Commands.Users;

/// <summary>
/// The command <c>user</c>: says who may look at the dashboard, beside a cloud at work. A password is a line of
/// standard input, or typed at a prompt, but never an argument, which other users of the machine could see.
/// </summary>
internal sealed class UserCommand(CloudSettings settings, CommandStreams streams)
{
    /// <summary>Shorter passwords are refused.</summary>
    public const int PasswordMin = 10;

    private const int PasswordMax = 1024;

    public async Task<int> RunAsync(UserArguments arguments, CancellationToken cancellationToken)
    {
        PasswordHash? password = null;
        if (arguments.Verb is "add" or "password")
        {
            if (await ReadPasswordAsync() is not { } read)
            {
                return ProgramCommandLine.Misused;
            }

            password = PasswordHash.Of(read);
        }

        return await OperatorCommand.RunAsync(
            settings, streams.Errors, "nothing was changed",
            database => RunAsync(database.Users(Environment.UserName), arguments, password, cancellationToken),
            cancellationToken);
    }

    private async Task<int> RunAsync(
        UserTable users, UserArguments arguments, PasswordHash? password, CancellationToken cancellationToken)
    {
        var name = arguments.Name;
        var none = $"there is no user {name}";
        switch (arguments.Verb)
        {
            case "list":
                return await ListAsync(users, cancellationToken);
            case "add":
                var user = new DashboardUser(name, arguments.Role, arguments.Sites, Disabled: false);
                return await SayAsync(
                    await users.AddAsync(user, password!, cancellationToken), $"{name}: added",
                    $"there is a user {name} already");
            case "remove":
                return await SayAsync(await users.RemoveAsync(name, cancellationToken), $"{name}: removed", none);
            case "password":
                return await SayAsync(
                    await users.SetPasswordAsync(name, password!, cancellationToken),
                    $"{name}: password changed", none);
            case "token":
                var secret = SessionSecret.Create();
                return await SayAsync(
                    await users.AddTokenAsync(
                        name, SessionSecret.Hash(secret), arguments.Note, arguments.Lasts, cancellationToken),
                    secret, none);
            default:
                var disabled = arguments.Verb == "disable";
                return await SayAsync(
                    await users.SetDisabledAsync(name, disabled, cancellationToken),
                    $"{name}: {arguments.Verb}d", none);
        }
    }

    private async Task<int> ListAsync(UserTable users, CancellationToken cancellationToken)
    {
        foreach (var user in await users.ListAsync(cancellationToken))
        {
            var role = user.Role.ToString().ToLowerInvariant();
            var sites = user.Sites.Count == 0 ? "all sites" : string.Join(", ", user.Sites);
            await streams.Output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{user.Name,-16}  {role,-8}  {(user.Disabled ? "disabled" : "enabled"),-8}  {sites}"));
        }

        return 0;
    }

    private async Task<string?> ReadPasswordAsync()
    {
        var password = ReferenceEquals(streams.Input, Console.In) && !Console.IsInputRedirected
            ? ReadHidden() : await streams.Input.ReadLineAsync();
        if (password is { Length: >= PasswordMin and <= PasswordMax })
        {
            return password;
        }

        await streams.Errors.WriteLineAsync(
            $"the password has less than {PasswordMin} characters, or more than {PasswordMax}: give it as one line on "
            + "standard input");
        return null;
    }

    // What is typed at a terminal is not shown there.
    private string ReadHidden()
    {
        streams.Errors.Write("Password: ");
        var password = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                password.Length = Math.Max(0, password.Length - 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                password.Append(key.KeyChar);
            }
        }

        streams.Errors.WriteLine();
        return password.ToString();
    }

    private async Task<int> SayAsync(bool isDone, string done, string not)
    {
        await (isDone ? streams.Output : streams.Errors).WriteLineAsync(isDone ? done : not);
        return isDone ? 0 : OperatorCommand.GoneWrong;
    }
}
