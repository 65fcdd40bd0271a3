using System.CommandLine;
using System.Text;
using Telemetry.Ingress.Access;
using Telemetry.Runtime.Commands;

namespace Telemetry.Cloud.Commands;

/// <summary>The verb <c>password</c>: makes the line of a gateway in the gateways file.</summary>
internal static class PasswordVerb
{
    public static Command Create(CommandStreams streams)
    {
        var gateway = GatewayArgument.Create();
        var command = new Command(
            "password", "Reads a password as a line of standard input, and prints its line for the gateways file.")
        { gateway };
        command.SetAction(result =>
        {
            if (streams.Input.ReadLine() is not { Length: > 0 } password)
            {
                streams.Errors.WriteLine("the password is empty: give it as one line on standard input");
                return ProgramCommandLine.Misused;
            }

            var line = GatewayPasswords.Line(result.GetRequiredValue(gateway), Encoding.UTF8.GetBytes(password));
            streams.Output.WriteLine(line);
            return 0;
        });
        return command;
    }
}
